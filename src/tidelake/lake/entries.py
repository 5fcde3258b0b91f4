"""The live files of a table, from its manifests."""

from __future__ import annotations

from collections.abc import Iterator, Set
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import product
from typing import TYPE_CHECKING

from tidelake.lake.trouble import translated
from tidelake.lake.writer import REWRITTEN

if TYPE_CHECKING:
    from pyiceberg.io import FileIO
    from pyiceberg.manifest import DataFile, ManifestEntry, ManifestFile
    from pyiceberg.table import Table
    from pyiceberg.table.snapshots import Snapshot

EPOCH = date(1970, 1, 1)

#: Where a DataFile of PyIceberg keeps its maps of sizes, counts and bounds, by column.
STATISTICS = range(6, 12)


@dataclass(frozen=True, slots=True)
class LiveFile:
    """A data file that a snapshot reads, and when its rows came into the table."""

    location: str
    day: date
    rows: int
    size: int  # bytes
    sequence_number: int
    sort_order: int  # 0 is unsorted
    entry: DataFile

    @classmethod
    def of(cls, entry: ManifestEntry) -> LiveFile:
        file = entry.data_file
        return cls(
            location=file.file_path,
            day=EPOCH + timedelta(days=int(file.partition[0])),
            rows=file.record_count,
            size=file.file_size_in_bytes,
            sequence_number=entry.sequence_number or 0,
            sort_order=file.sort_order_id or 0,
            entry=file,
        )

    @property
    def rewritten(self) -> bool:
        """Whether it holds rows that other files held before it (care's own files)."""
        return self.location.rpartition("/")[2].startswith(f"{REWRITTEN}-")


class Manifests:
    """Reads manifest lists and manifests, each once: they never change.

    Without `statistics`, which only care has to write again, a file takes 1 kB and not 15: a
    backfill of years can be fifty thousand of them.
    """

    def __init__(self, io: FileIO, statistics: bool = True) -> None:
        self._io = io
        self._statistics = statistics
        self._lists: dict[str, list[ManifestFile]] = {}
        self._read: dict[str, tuple[LiveFile, ...]] = {}

    def live(self, snapshot: Snapshot) -> list[LiveFile]:
        """The data files of a snapshot."""
        return [file for manifest in self.of(snapshot) for file in self.files(manifest)]

    def of(self, snapshot: Snapshot) -> list[ManifestFile]:
        if snapshot.manifest_list not in self._lists:
            self._lists[snapshot.manifest_list] = snapshot.manifests(self._io)
        return self._lists[snapshot.manifest_list]

    def files(self, manifest: ManifestFile) -> tuple[LiveFile, ...]:
        """The files that a manifest of data files lists as live; none of a manifest of deletes."""
        from pyiceberg.manifest import ManifestContent

        if manifest.content != ManifestContent.DATA:
            return ()
        if manifest.manifest_path not in self._read:
            entries = manifest.fetch_manifest_entry(self._io, discard_deleted=True)
            if not self._statistics:
                for entry, place in product(entries, STATISTICS):
                    entry.data_file[place] = None
            self._read[manifest.manifest_path] = tuple(map(LiveFile.of, entries))
        return self._read[manifest.manifest_path]

    def forget_all_but(self, lists: Set[str], manifests: Set[str]) -> None:
        """Lets go of what is not at the given locations."""
        self._lists = {at: found for at, found in self._lists.items() if at in lists}
        self._read = {at: files for at, files in self._read.items() if at in manifests}


def live_files(table: Table, snapshot: Snapshot | None = None) -> list[LiveFile]:
    """The data files of a snapshot, else of the current one, in order of sequence and location."""
    chosen = snapshot or table.metadata.current_snapshot()
    if chosen is None:
        return []
    with translated(f"read the manifests of {'.'.join(table.name())}"):
        return sorted(Manifests(table.io).live(chosen), key=_arrival)


def files_after(table: Table, sequence_number: int) -> Iterator[LiveFile]:
    """What a loader takes next: live files beyond its watermark whose rows no file had before.

    In order of sequence and location. Files that another engine rewrote (a `replace` snapshot) are
    passed over like care's own: those rows were at or below every watermark.
    """
    replaced = {
        snapshot.sequence_number
        for snapshot in table.metadata.snapshots
        if snapshot.summary is not None and snapshot.summary.operation.value == "replace"
    }
    for file in live_files(table):
        fresh = not file.rewritten and file.sequence_number not in replaced
        if fresh and file.sequence_number > sequence_number:
            yield file


def has_deletes(table: Table) -> bool:
    """Whether another engine wrote delete files, which only it can apply."""
    from pyiceberg.manifest import ManifestContent

    snapshot = table.metadata.current_snapshot()
    manifests = snapshot.manifests(table.io) if snapshot else []
    return any(manifest.content == ManifestContent.DELETES for manifest in manifests)


def _arrival(file: LiveFile) -> tuple[int, str]:
    return file.sequence_number, file.location
