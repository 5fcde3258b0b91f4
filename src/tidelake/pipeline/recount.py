"""Counts a lake for real: every row of every live file, every record number of every stream.

The books are answered from counters; this reads what the counters stand for. Each record of a
stream, from 1 to its position, must be an event or a reject, once.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from tidelake.event.contract import EVENTS, REJECTED
from tidelake.lake import sources
from tidelake.lake.trouble import translated
from tidelake.observe import tables as judge
from tidelake.observe.books import Finding
from tidelake.pipeline.books import Look
from tidelake.pipeline.lakehouse import Lakehouse

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection
    from pyiceberg.table import Table

    from tidelake.observe.tables import TableFacts

MEMORY = "512MB"
LONGEST_LIST = 2_000  # characters
POSITION = r"^(?P<stream>.*)/(?P<number>\d{1,18})$"

# A number stands in both tables where a rejected record was replayed: then the event counts.
SPANS = """
create temp table spans as
select stream, number as first, number as last from events
union all
select stream, number, number + records - 1 from rejected_events as r
where not exists (from events as e where e.stream = r.stream and e.number = r.number)
"""
REACHED = """
create temp table reached as
select
    stream, first, last,
    coalesce(max(last) over (
        partition by stream order by first, last rows between unbounded preceding and 1 preceding
    ), 0) as before
from spans
"""
HOLES = """
select stream, before + 1, first - 1 from reached where first > before + 1
union all
select stream, max(last) + 1, null from reached group by stream
order by 1, 2
"""
REPLAYED = """
select count(*) from rejected_events as r
where exists (from events as e where e.stream = r.stream and e.number = r.number)
"""
REPEATED = "select stream, first from reached where first <= before order by stream, first"

Hole = tuple[str, int, int]  # stream, first and last record


@dataclass(slots=True)
class Recount:
    """What was counted, and what of it is not as the books have it."""

    events: int = 0
    rejected: int = 0  # records, with those lost in damaged frames
    streams: int = 0
    findings: list[Finding] = field(default_factory=list)


def recount(lakehouse: Lakehouse, seen: Look) -> Recount:
    """Counts what `seen` looked at; costs by rows (two short columns of each are read).

    Raises `UnavailableError` where a file can not be read: `seen` names those that are missing.
    """
    counted = Recount()
    with _connection() as connection:
        streams: dict[str, int] = {}
        for table, facts in ((seen.pair.events, seen.events), (seen.pair.rejects, seen.rejects)):
            counted.findings += _load(connection, table, facts, streams)
        counted.streams = len(streams)
        counted.events = _one(connection, "select count(*) from events")
        counted.rejected = _one(
            connection, "select coalesce(sum(records), 0)::bigint from rejected_events"
        )
        counted.findings += _rows(connection, seen)
        connection.execute(SPANS)
        connection.execute(REACHED)
        counted.findings += _numbers(connection, lakehouse, seen, streams)
    return counted


@contextmanager
def _connection() -> Iterator[DuckDBPyConnection]:
    """An empty database that may spill to a folder of its own."""
    import duckdb

    with tempfile.TemporaryDirectory(prefix="tidelake-recount-") as folder:
        config: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": MEMORY,
            "temp_directory": folder,
            "autoinstall_known_extensions": "false",
        }
        with duckdb.connect(config=config) as connection:
            connection.execute("create temp table events (stream integer, number bigint)")
            connection.execute(
                "create temp table rejected_events "
                "(stream integer, number bigint, records bigint, reason varchar)"
            )
            yield connection


def _load(
    connection: DuckDBPyConnection, table: Table, facts: TableFacts, streams: dict[str, int]
) -> Iterator[Finding]:
    """Reads every file into the database; streams get a number each."""
    columns = ["source_position"] + (["records", "reason"] if facts.name == REJECTED.table else [])
    for file in facts.files:
        rows = 0
        for batch in _batches(table, file.location, columns):
            rows += batch.num_rows
            split = pc.extract_regex(batch["source_position"], POSITION)
            if split.null_count:
                yield _strange(facts.name, batch["source_position"].filter(split.is_null()))
            numbered = {
                "stream": _codes(pc.struct_field(split, "stream"), streams),
                "number": pc.struct_field(split, "number").cast(pa.int64()),
            }
            numbered |= {name: batch[name] for name in columns[1:]}
            found = pa.table(numbered)  # noqa: F841 # DuckDB finds it by its name
            connection.execute(f"insert into {facts.name} from found")
        if rows != file.rows:
            yield Finding(
                facts.name,
                f"{file.location} holds {rows:,} rows, {file.rows:,} were committed",
            )


def _batches(table: Table, location: str, columns: list[str]) -> Iterator[pa.RecordBatch]:
    import pyarrow.parquet as pq

    with translated(f"read {location}"), table.io.new_input(location).open() as stream:
        yield from pq.ParquetFile(stream).iter_batches(columns=columns)


def _codes(names_of: pa.Array, streams: dict[str, int]) -> pa.Array:
    """A small number for each stream name, the same over all files."""
    encoded = names_of.dictionary_encode()
    codes = [
        None if name is None else streams.setdefault(name, len(streams))
        for name in encoded.dictionary.to_pylist()
    ]
    return pa.array(codes, pa.int32()).take(encoded.indices)


def _rows(connection: DuckDBPyConnection, seen: Look) -> Iterator[Finding]:
    """Rows and records that are not what the counters say."""
    counted = _one(connection, "select count(*) from events")
    if counted != seen.books.events:
        yield _unlike(EVENTS.table, "rows", counted, seen.books.events)
    by_reason = dict(
        connection.execute(
            "select reason, sum(records)::bigint from rejected_events group by reason"
        ).fetchall()
    )
    said = judge.by_reason(seen.rejects.counts)
    for reason in sorted(by_reason.keys() | said.keys()):
        if by_reason.get(reason, 0) != said.get(reason, 0):
            what = f"records rejected as {reason}"
            yield _unlike(REJECTED.table, what, by_reason.get(reason, 0), said.get(reason, 0))


def _numbers(
    connection: DuckDBPyConnection, lakehouse: Lakehouse, seen: Look, streams: Mapping[str, int]
) -> Iterator[Finding]:
    """Record numbers that stand nowhere, twice, or beyond the position of their stream."""
    by_code = {code: stream for stream, code in streams.items()}
    for code, number in connection.execute(REPEATED).fetchmany(5):
        yield Finding(EVENTS.table, f"record {by_code[code]}/{number} stands more than once")
    ends = dict[int, int]()
    for stream, code in sorted(streams.items()):
        end = seen.events.positions.get(stream)
        end = sources.records(lakehouse.catalog, stream) if end is None else end
        if end is None:
            yield Finding("positions", f"{stream} has rows, but no position and is not finished")
            continue
        ends[code] = end
        yield from _beyond(connection, code, stream, end, seen.rejects.positions.get(stream, 0))
    holes = [
        (by_code[code], first, min(ends[code], last or ends[code]))
        for code, first, last in connection.execute(HOLES).fetchall()
        if first <= ends.get(code, 0)
    ]
    absent = {s: n for s, n in seen.books.positions.items() if s not in streams and n}
    yield from _missing(
        connection, seen, sum(ends.values()), holes, [(s, 1, n) for s, n in absent.items()]
    )


def _beyond(
    connection: DuckDBPyConnection, code: int, stream: str, end: int, judged: int
) -> Iterator[Finding]:
    """Rows behind the position; rejects may stand there while their events are on the way."""
    for table, last in ((EVENTS.table, end), (REJECTED.table, max(end, judged))):
        beyond = f"select count(*) from {table} where stream = {code} and number > {last}"
        if rows := _one(connection, beyond):
            yield Finding(
                "positions",
                f"{rows:,} rows of {stream} in {table} lie beyond its position {last:,}: it was "
                "moved back, or they were added by hand",
            )


def _missing(
    connection: DuckDBPyConnection,
    seen: Look,
    numbered: int,
    holes: Sequence[Hole],
    absent: Sequence[Hole],
) -> Iterator[Finding]:
    """Records that stand in neither table, less those that a rollback removed.

    `numbered` is how many records the streams have that have rows; all others are missing, also
    those of finished streams of which nothing is left.
    """
    there = numbered - sum(last - first + 1 for _, first, last in holes)
    replayed = _one(connection, REPLAYED)
    gone = seen.books.taken - there + seen.books.replayed - replayed
    if gone != seen.books.rolled_back:
        told = "; ".join(f"{stream} {first}..{last}" for stream, first, last in (*absent, *holes))
        yield Finding(
            EVENTS.table,
            f"{gone:,} records stand in neither table, {seen.books.rolled_back:,} were rolled back"
            + (f": {told[:LONGEST_LIST]}" if told else ""),
        )


def _one(connection: DuckDBPyConnection, query: str) -> int:
    row = connection.execute(query).fetchone()
    return int(row[0]) if row else 0


def _unlike(table: str, what: str, counted: int, said: int) -> Finding:
    return Finding(
        table,
        f"{table} holds {counted:,} {what}, its counters say {said:,} ({counted - said:+,})",
    )


def _strange(table: str, values: pa.Array) -> Finding:
    return Finding(
        table, f"{len(values)} rows of {table} have no source_position, e.g. {values[0]}"
    )
