"""Finds an event in the layers: by its key in silver's index, else in the lake a day at a time.

Every copy of an event has its key and so its day, and each day of the lake is a partition: once one
copy is found, the others are looked for in the files of that day alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from typing import TYPE_CHECKING, Any

from tidelake.batch import split_position
from tidelake.event.contract import EVENTS, REJECTED
from tidelake.files import open_disk
from tidelake.inbox import Inbox
from tidelake.lake.entries import LiveFile, live_files
from tidelake.lake.file_io import local_path
from tidelake.lake.positions import positions
from tidelake.lake.query import connect
from tidelake.lake.tables import load_table
from tidelake.lake.trouble import translated
from tidelake.pipeline.lakehouse import Lakehouse
from tidelake.warehouse.session import Connection

if TYPE_CHECKING:
    import duckdb
    from pyiceberg.io import FileIO

KEY_HEX = 32  # characters of an event_key
MOST_COPIES = 50
MOST_WAITING = 500_000  # records of the inbox that are looked through

# The key's index begins with the day: it is hopped through from day to day, and asked once in each.
# Without the limit PostgreSQL would read all of it for one join.
BY_KEY = """
with recursive days as (
    select max(event_day) as event_day
    from silver_pii.events
    union all
    select (select max(event_day) from silver_pii.events where event_day < days.event_day)
    from days
    where event_day is not null
)

select found.event_day
from days
cross join lateral (
    select event_day
    from silver_pii.events
    where event_day = days.event_day and event_key = %s
    limit 1
) as found
limit 1
"""
BY_RECORD = """
select event_day, event_key
from silver_pii.events
inner join tidelake.loaded_records using (load_id)
inner join tidelake.loads using (load_id)
where
    loaded_records.stream = %(stream)s and loaded_records.records @> %(number)s::bigint
    and loads.table_name = 'events' and events.source_position = %(position)s
limit 1
"""

COLUMNS = (
    "source_position, event_key, event_id, event_type, event_name, event_time, event_day, "
    "received_at, source, format, project, quality_flags, user_id, anonymous_id, "
    "location_ip_address, page_path"
)
# DuckDB looks for no bytes in bytes: for their hex digits, from the first of two on.
HOLDS = (
    "contains(hex(body), hex(encode($value))) "
    "and regexp_matches(hex(body), '^(?:..)*' || hex(encode($value)))"
)
REJECTS = "source_position, reason, field, detail, received_at, source, format, project"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a row lies in the lake now; `row` counts from 1 in its file, `group` from 0."""

    file: LiveFile
    row: int
    group: int
    row_in_group: int


@dataclass(frozen=True, slots=True)
class Copy:
    """One record that was accepted: an event, or a reject; `values` are its columns."""

    rejected: bool
    values: dict[str, Any]
    place: Place | None

    @property
    def position(self) -> str:
        return str(self.values["source_position"])

    @property
    def received_at(self) -> datetime:
        at: datetime = self.values["received_at"]
        return at


def find(lakehouse: Lakehouse, database: Connection, wanted: str, day: date | None) -> list[Copy]:
    """The copies of an event by `event_id`, `event_key` in hex or `source_position`, oldest first.

    `day` is the day of the event (UTC), where it is known. Raises `UnavailableError`.
    """
    with closing(connect(lakehouse.catalog)) as connection:
        found = _events(lakehouse, database, connection, wanted, day)
        found = found or list(_rejects(lakehouse, connection, wanted))
    return sorted(found, key=lambda copy: (copy.received_at, copy.position))[:MOST_COPIES]


def waiting(lakehouse: Lakehouse, wanted: str) -> str | None:
    """The position of a record in the inbox that holds this text and is not in the lake yet."""
    inbox = Inbox(lakehouse.settings.home, open_disk())
    held = positions(load_table(lakehouse.catalog, EVENTS.table).properties)
    sought, looked = wanted.encode(), 0
    for stream in inbox.streams():
        for take in inbox.takes(stream, held.get(stream, 0)):
            batch = take.read()
            for number, body in zip(
                batch.numbers.to_pylist(), batch.records["body"].to_pylist(), strict=True
            ):
                if sought in body or wanted == f"{stream}/{number}":
                    return f"{stream}/{number}"
            looked += batch.records.num_rows
            if looked > MOST_WAITING:
                return None
    return None


def is_key(wanted: str) -> bool:
    """Whether it can be an `event_key` in hex."""
    return len(wanted) == KEY_HEX and all(c in "0123456789abcdef" for c in wanted.lower())


def _events(
    lakehouse: Lakehouse,
    database: Connection,
    connection: duckdb.DuckDBPyConnection,
    wanted: str,
    day: date | None,
) -> list[Copy]:
    table = load_table(lakehouse.catalog, EVENTS.table)
    condition, value = "event_id = $value", wanted
    if is_key(wanted):
        condition = "event_key = from_hex($value)"
        day = day or _day(database, BY_KEY, (bytes.fromhex(wanted),))
    elif _is_position(wanted):
        condition = "source_position = $value"
        stream, number = split_position(wanted)
        values = {"stream": stream, "number": number, "position": wanted}
        day = day or _day(database, BY_RECORD, values)
    for files in _days(live_files(table), day):
        if rows := _read(connection, table.io, files, COLUMNS, condition, value):
            keys = sorted({row.values["event_key"].hex() for row in rows})
            # An id may be that of several events; each has its copies, all of this day.
            if condition.startswith("event_key"):
                return rows
            return [
                copy
                for key in keys
                for copy in _read(
                    connection, table.io, files, COLUMNS, "event_key = from_hex($value)", key
                )
            ]
    return []


def _rejects(
    lakehouse: Lakehouse, connection: duckdb.DuckDBPyConnection, wanted: str
) -> Iterator[Copy]:
    """Rejects by their position, or such whose record holds the text."""
    table = load_table(lakehouse.catalog, REJECTED.table)
    condition = HOLDS
    if _is_position(wanted):
        condition = "source_position = $value"
    for files in _days(live_files(table), None):
        yield from _read(connection, table.io, files, REJECTS, condition, wanted, rejected=True)


def _days(files: Sequence[LiveFile], day: date | None) -> Iterator[list[LiveFile]]:
    """Files by day, the newest day first; of one day where it is known."""
    ordered = sorted(files, key=lambda file: file.day, reverse=True)
    for found, group in groupby(ordered, key=lambda file: file.day):
        if day is None or found == day:
            yield list(group)


def _read(
    connection: duckdb.DuckDBPyConnection,
    io: FileIO,
    files: Sequence[LiveFile],
    columns: str,
    condition: str,
    value: str,
    *,
    rejected: bool = False,
) -> list[Copy]:
    """Rows of files with the place of each; reads the columns of the condition, then the rows."""
    by_path = {str(local_path(file.location) or file.location): file for file in files}
    with translated("read the files of the lake"):
        rows = connection.execute(
            f"select filename, file_row_number, {columns} "
            "from read_parquet($files, filename = true, file_row_number = true, "
            f"union_by_name = true) where {condition} limit {MOST_COPIES}",
            {"files": list(by_path), "value": value},
        )
        names = [column[0] for column in rows.description or ()][2:]
        found = rows.fetchall()
    copies = []
    for path, number, *values in found:
        file = by_path.get(path)
        place = None if file is None else _place(io, file, int(number))
        copies.append(Copy(rejected, dict(zip(names, values, strict=True)), place))
    return copies


def _place(io: FileIO, file: LiveFile, number: int) -> Place:
    """The row group of a row, which counts from 0."""
    import pyarrow.parquet as pq

    left = number
    with translated(f"read {file.location}"), io.new_input(file.location).open() as stream:
        metadata = pq.ParquetFile(stream).metadata
        for group in range(metadata.num_row_groups):
            rows = metadata.row_group(group).num_rows
            if left < rows:
                return Place(file, number + 1, group, left + 1)
            left -= rows
    return Place(file, number + 1, 0, number + 1)


def _day(database: Connection, query: str, values: Any) -> date | None:
    """The day by silver; None where it is not in silver, or there is no silver yet."""
    known = database.execute("select to_regclass('silver_pii.events')").fetchone()
    if known is None or known[0] is None:
        return None
    row = database.execute(query.encode(), values).fetchone()
    return row[0] if row else None


def _is_position(text: str) -> bool:
    stream, _, number = text.rpartition("/")
    return stream.count("/") == 2 and number.isdigit()
