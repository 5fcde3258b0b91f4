"""Rows as they come into the lake: the last ones, then what each new commit adds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from tidelake.event.contract import EVENTS, REJECTED
from tidelake.lake.entries import live_files
from tidelake.lake.tables import load_table
from tidelake.lake.trouble import translated
from tidelake.lake.writer import REWRITTEN
from tidelake.pipeline.lakehouse import Lakehouse

if TYPE_CHECKING:
    from pyiceberg.io import FileIO
    from pyiceberg.table import Table
    from pyiceberg.table.snapshots import Snapshot

COLUMNS = {
    EVENTS.table: (
        "received_at",
        "event_time",
        "event_type",
        "user_id",
        "anonymous_id",
        "project",
        "page_path",
        "search_query",
        "order_total",
        "order_currency",
        "quality_flags",
        "source_position",
    ),
    REJECTED.table: (
        "received_at",
        "reason",
        "field",
        "detail",
        "body",
        "project",
        "source_position",
    ),
}


@dataclass(frozen=True, slots=True)
class Row:
    """A row of one of the two tables, with the columns that a line shows."""

    table: str
    received_at: datetime
    values: Mapping[str, Any]


@dataclass(slots=True)
class Tail:
    """Follows tables from the moment it is made; `lost` counts commits that were never seen.

    A commit is lost where its snapshot was expired before it was looked at: a laptop that slept.
    """

    lakehouse: Lakehouse
    tables: Sequence[str] = (EVENTS.table, REJECTED.table)
    lost: int = 0
    _seen: dict[str, int] = field(default_factory=dict)

    def last(self, count: int, since: datetime | None = None) -> list[Row]:
        """The last `count` rows (all with 0) received since then, oldest first; then follow on."""
        found: list[Row] = []
        for name in self.tables:
            table = load_table(self.lakehouse.catalog, name)
            self._seen[name] = _sequence(table)
            rows = _since(table, since) if since else _newest(table, count)
            found += _rows(name, rows.slice(max(rows.num_rows - count, 0) if count else 0))
        found.sort(key=lambda row: row.received_at)
        return found[-count:] if count else found

    def new(self) -> list[Row]:
        """What was committed since the last look, oldest first. Raises `UnavailableError`."""
        found: list[Row] = []
        for name in self.tables:
            table = load_table(self.lakehouse.catalog, name)
            for snapshot in self._unseen(table):
                for location in added_files(table, snapshot):
                    found += _rows(name, _read(table.io, location, name))
                self._seen[name] = snapshot.sequence_number or 0
        found.sort(key=lambda row: row.received_at)
        return found

    def _unseen(self, table: Table) -> list[Snapshot]:
        name, last = table.name()[-1], _sequence(table)
        seen = self._seen.setdefault(name, last)
        fresh = [s for s in table.metadata.snapshots if (s.sequence_number or 0) > seen]
        self.lost += last - seen - len(fresh)
        self._seen[name] = last if not fresh else seen
        return sorted(fresh, key=lambda snapshot: snapshot.sequence_number or 0)


def added_files(table: Table, snapshot: Snapshot) -> Iterator[str]:
    """Locations of the files with rows that no file had before, added by this snapshot alone.

    Read from its own manifests, so that a compaction that has replaced them since does not matter.
    """
    from pyiceberg.manifest import ManifestContent, ManifestEntryStatus

    if snapshot.summary is None or snapshot.summary.operation.value == "replace":
        return
    with translated(f"read the manifests of {'.'.join(table.name())}"):
        for manifest in snapshot.manifests(table.io):
            ours = manifest.added_snapshot_id == snapshot.snapshot_id
            if not ours or manifest.content != ManifestContent.DATA:
                continue
            for entry in manifest.fetch_manifest_entry(table.io, discard_deleted=True):
                added = entry.status == ManifestEntryStatus.ADDED
                fresh = not _name(entry.data_file.file_path).startswith(f"{REWRITTEN}-")
                if added and fresh and entry.snapshot_id == snapshot.snapshot_id:
                    yield entry.data_file.file_path


def _sequence(table: Table) -> int:
    """Sequence number of the newest snapshot; each commit takes the next one."""
    return max((snapshot.sequence_number or 0 for snapshot in table.metadata.snapshots), default=0)


def _newest(table: Table, count: int) -> pa.Table:
    """Rows of the newest files, as many files as hold `count`, in order of arrival."""
    name = table.name()[-1]
    parts: list[pa.Table] = []
    for file in reversed(live_files(table)):
        if sum(part.num_rows for part in parts) >= count and count:
            break
        parts.append(_read(table.io, file.location, name))
    if not parts:
        return pa.table({"received_at": pa.array([], pa.timestamp("us", tz="UTC"))})
    return pa.concat_tables(parts, promote_options="permissive").sort_by("received_at")


def _since(table: Table, since: datetime) -> pa.Table:
    name = table.name()[-1]
    with translated(f"read {name}"):
        found = table.scan(
            row_filter=f"received_at >= '{since.isoformat()}'", selected_fields=COLUMNS[name]
        ).to_arrow()
    return found.sort_by("received_at")


def _read(io: FileIO, location: str, table: str) -> pa.Table:
    import pyarrow.parquet as pq

    with translated(f"read {location}"), io.new_input(location).open() as stream:
        found = pq.ParquetFile(stream).read(columns=list(COLUMNS[table]))
    return found.take(pc.sort_indices(found, sort_keys=[("received_at", "ascending")]))


def _rows(table: str, rows: pa.Table) -> list[Row]:
    return [Row(table, row["received_at"], row) for row in rows.to_pylist()]


def _name(location: str) -> str:
    return location.rpartition("/")[2]
