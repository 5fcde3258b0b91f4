"""Removal of files: those that expiry made unreachable, and orphans that nothing ever reached."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pyarrow.fs as fs
from pyiceberg.io.pyarrow import PyArrowFileIO

from tidelake.lake.entries import Manifests
from tidelake.lake.trouble import translated

if TYPE_CHECKING:
    from pyiceberg.manifest import ManifestFile
    from pyiceberg.table import Table
    from pyiceberg.table.metadata import TableMetadata
    from pyiceberg.table.snapshots import Snapshot


@dataclass(frozen=True, slots=True)
class Reachable:
    """Locations that some snapshots need: manifest lists, manifests and data files."""

    lists: frozenset[str]
    manifests: frozenset[str]
    data: frozenset[str]

    @classmethod
    def of(cls, snapshots: Iterable[Snapshot], manifests: Manifests) -> Reachable:
        lists: set[str] = set()
        found: dict[str, ManifestFile] = {}
        for snapshot in snapshots:
            lists.add(snapshot.manifest_list)
            found |= {m.manifest_path: m for m in manifests.of(snapshot)}
        data = {f.location for manifest in found.values() for f in manifests.files(manifest)}
        return cls(frozenset(lists), frozenset(found), frozenset(data))

    def __sub__(self, other: Reachable) -> Reachable:
        return Reachable(
            self.lists - other.lists, self.manifests - other.manifests, self.data - other.data
        )

    def __len__(self) -> int:
        return len(self.lists) + len(self.manifests) + len(self.data)

    def __iter__(self) -> Iterator[str]:
        """Data files first: as long as a manifest list stands, its files can still be named."""
        yield from self.data
        yield from self.manifests
        yield from self.lists


def unreachable(before: TableMetadata, after: TableMetadata, manifests: Manifests) -> Reachable:
    """What `before` reached and `after`, which has expired some of its snapshots, does not."""
    kept = {snapshot.snapshot_id for snapshot in after.snapshots}
    gone = [snapshot for snapshot in before.snapshots if snapshot.snapshot_id not in kept]
    if not gone:
        return Reachable(frozenset(), frozenset(), frozenset())
    still = Reachable.of(after.snapshots, manifests)
    leftover = Reachable.of(gone, manifests) - still
    manifests.forget_all_but(still.lists, still.manifests)
    return leftover


def remove(table: Table, locations: Iterable[str]) -> int:
    """Deletes files; gives how many. One that is gone already was removed by an earlier attempt."""
    removed = 0
    with translated(f"remove files of {'.'.join(table.name())}"):
        for location in locations:
            try:
                table.io.delete(location)
                removed += 1
            except FileNotFoundError:
                continue
    return removed


def old_files(table: Table, now: datetime, older_than: timedelta) -> list[str]:
    """Locations of all files below the table's folder that were last written before then."""
    location = table.metadata.location
    io = table.io
    if not isinstance(io, PyArrowFileIO):
        return []  # a catalog of another make chose it; it can not list
    scheme, netloc, path = io.parse_location(location, io.properties)
    with translated(f"list {location}"):
        found = io.fs_by_scheme(scheme, netloc).get_file_info(fs.FileSelector(path, recursive=True))
    before = now - older_than
    return [
        location + file.path.removeprefix(path)
        for file in found
        if file.type == fs.FileType.File and file.mtime < before
    ]


def orphans(candidates: Iterable[str], table: Table, manifests: Manifests) -> list[str]:
    """Those of the files that the table does not name.

    Load `table` after the files were listed: what was committed in between is then named.
    """
    metadata = table.metadata
    reached = Reachable.of(metadata.snapshots, manifests)
    named = {table.metadata_location, f"{metadata.location}/metadata/version-hint.text"}
    named |= {entry.metadata_file for entry in metadata.metadata_log}
    named |= {file.statistics_path for file in metadata.statistics}
    named |= {file.statistics_path for file in metadata.partition_statistics}
    named |= reached.lists | reached.manifests | reached.data
    return [location for location in candidates if location not in named]
