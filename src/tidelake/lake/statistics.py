"""A table in numbers: rows, files, sizes, snapshots, manifests and metadata, whole and per day."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import pyarrow.fs as fs
from pyiceberg.io.pyarrow import PyArrowFileIO

from tidelake.lake.care.replace import REWRITTEN_BYTES
from tidelake.lake.entries import LiveFile, live_files
from tidelake.lake.positions import counts, positions
from tidelake.lake.trouble import translated

if TYPE_CHECKING:
    from pyiceberg.table import Table

DEFAULT_SMALL_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class DayStatistics:
    """The live files of one day partition."""

    day: date
    rows: int
    files: int
    bytes: int
    small_files: int
    sorted_files: int


@dataclass(frozen=True, slots=True)
class TableStatistics:
    """All sizes in bytes, of live files unless said otherwise."""

    table: str
    location: str
    metadata_location: str
    rows: int
    files: int
    bytes: int
    small_files: int
    snapshots: int
    tags: int
    manifests: int  # of the current snapshot
    manifest_bytes: int
    metadata_files: int  # everything in the metadata folder, of all snapshots
    metadata_bytes: int
    columns: int
    rewritten_bytes: int  # written by compaction since the table was made
    positions: dict[str, int]
    counts: dict[str, int]
    days: tuple[DayStatistics, ...]

    @property
    def write_amplification(self) -> float:
        """Bytes that compaction wrote for each live byte."""
        return self.rewritten_bytes / self.bytes if self.bytes else 0.0

    @property
    def bytes_per_row(self) -> float:
        return self.bytes / self.rows if self.rows else 0.0


def statistics(table: Table, small_below: int = DEFAULT_SMALL_BYTES) -> TableStatistics:
    """Reads the manifests of the current snapshot and lists the metadata folder."""
    metadata = table.metadata
    files = live_files(table)
    snapshot = metadata.current_snapshot()
    manifests = snapshot.manifests(table.io) if snapshot else []
    metadata_files, metadata_bytes = metadata_folder(table)
    known = counts(table.properties)
    return TableStatistics(
        table=table.name()[-1],
        location=metadata.location,
        metadata_location=table.metadata_location,
        rows=sum(file.rows for file in files),
        files=len(files),
        bytes=sum(file.size for file in files),
        small_files=sum(file.size < small_below for file in files),
        snapshots=len(metadata.snapshots),
        tags=sum(ref.snapshot_ref_type.value == "tag" for ref in metadata.refs.values()),
        manifests=len(manifests),
        manifest_bytes=sum(manifest.manifest_length for manifest in manifests),
        metadata_files=metadata_files,
        metadata_bytes=metadata_bytes,
        columns=len(table.schema().fields),
        rewritten_bytes=known.get(REWRITTEN_BYTES, 0),
        positions=positions(table.properties),
        counts=known,
        days=_days(files, small_below),
    )


def _days(files: list[LiveFile], small_below: int) -> tuple[DayStatistics, ...]:
    days: dict[date, list[LiveFile]] = defaultdict(list)
    for file in files:
        days[file.day].append(file)
    return tuple(
        DayStatistics(
            day=day,
            rows=sum(file.rows for file in members),
            files=len(members),
            bytes=sum(file.size for file in members),
            small_files=sum(file.size < small_below for file in members),
            sorted_files=sum(file.sort_order > 0 for file in members),
        )
        for day, members in sorted(days.items())
    )


def metadata_folder(table: Table) -> tuple[int, int]:
    """Files and bytes; none where the catalog's own `FileIO` can not list."""
    io = table.io
    if not isinstance(io, PyArrowFileIO):
        return 0, 0
    scheme, netloc, path = io.parse_location(f"{table.metadata.location}/metadata", io.properties)
    with translated(f"list the metadata of {'.'.join(table.name())}"):
        found = io.fs_by_scheme(scheme, netloc).get_file_info(fs.FileSelector(path))
    files = [file for file in found if file.type == fs.FileType.File]
    return len(files), sum(file.size for file in files)
