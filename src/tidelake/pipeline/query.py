"""SQL over the lake, as it is or as it was; reads only."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import IO, TYPE_CHECKING, Any, Literal

from tidelake.errors import DamagedError, UsageError
from tidelake.event.contract import EVENTS, REJECTED
from tidelake.lake.query import connect
from tidelake.lake.tables import load_table
from tidelake.lake.travel import find
from tidelake.pipeline.lakehouse import Lakehouse
from tidelake.pipeline.moments import maybe_moment

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

Format = Literal["csv", "json", "ndjson", "parquet"]

VIEWS = (EVENTS.table, REJECTED.table, "replayed")
ROWS_AT_ONCE = 2048
READING = ("SELECT", "EXPLAIN", "RELATION")  # DESCRIBE, SHOW, SUMMARIZE and FROM are SELECTs


@dataclass(frozen=True, slots=True)
class Answer:
    """The first rows of an answer; `more` says whether there are others."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    more: bool


class Queries:
    """Asks a connection of its own; every method raises `UsageError` with DuckDB's message."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def statements(self, sql: str) -> list[str]:
        """The statements of a text; raises `UsageError` for one that does not read."""
        with _explained():
            found = self._connection.extract_statements(sql)
        for statement in found:
            if statement.type.name not in READING:
                raise UsageError(
                    f"{statement.type.name} is not a query: {statement.query.strip()[:200]}",
                    hint="`tidelake sql` reads. Rows come in by `tidelake ingest` and the "
                    "collector; --output writes an answer to a file.",
                )
        return [statement.query for statement in found]

    def answer(self, sql: str, limit: int) -> Answer:
        """The first `limit` rows."""
        with _explained():
            asked = self._connection.execute(sql)
            columns = tuple(column[0] for column in asked.description or ())
            rows = asked.fetchmany(limit + 1)
        return Answer(columns, tuple(rows[:limit]), len(rows) > limit)

    def write(self, sql: str, out: IO[bytes], form: Format, limit: int | None) -> int:
        """Writes all rows, at most `limit`, in bounded memory; gives their number."""
        with _explained():
            # Arrow would give the connection's time zone a name; a row gives Python's values.
            if form == "parquet":
                return self._write_parquet(sql, out, limit)
            asked = self._connection.execute(sql)
            columns = [column[0] for column in asked.description or ()]
            text = io.TextIOWrapper(out, "utf-8", newline="", write_through=True)
            try:
                return _WRITERS[form](text, columns, _rows(asked, limit))
            finally:
                text.detach()

    def _write_parquet(self, sql: str, out: IO[bytes], limit: int | None) -> int:
        import pyarrow.parquet as pq

        reader = self._connection.execute(sql).to_arrow_reader(ROWS_AT_ONCE)
        written = 0
        with pq.ParquetWriter(out, reader.schema, compression="zstd") as writer:
            for batch in reader:
                kept: pa.RecordBatch = batch.slice(0, None if limit is None else limit - written)
                writer.write_batch(kept)
                written += kept.num_rows
                if written == limit:
                    break
        return written

    def columns(self) -> dict[str, list[tuple[str, str]]]:
        """Names and types of the columns of each view."""
        return {
            view: [
                (str(name), str(kind))
                for name, kind, *_ in self._connection.execute(f"describe {view}").fetchall()
            ]
            for view in VIEWS
        }


@contextmanager
def queries(lakehouse: Lakehouse, as_of: str, now: datetime) -> Iterator[Queries]:
    """Queries over the lake; `as_of` is empty, a time, a tag or a snapshot id.

    Raises `UsageError` where it is none of these, or where no state of that time is left.
    """
    with closing(connect(lakehouse.catalog, resolve(lakehouse, as_of, now))) as connection:
        yield Queries(connection)


def resolve(lakehouse: Lakehouse, as_of: str, now: datetime) -> datetime | None:
    """The moment that is asked for: of a tag or snapshot, the time it was committed."""
    if not as_of:
        return None
    if (stated := maybe_moment(as_of, now)) is not None:
        return stated
    # A snapshot is of one table; the other is read as it was then.
    try:
        return find(load_table(lakehouse.catalog, EVENTS.table), as_of).at
    except UsageError:
        pass
    try:
        return find(load_table(lakehouse.catalog, REJECTED.table), as_of).at
    except UsageError as exc:
        raise UsageError(
            f"{as_of!r} is no time, tag or snapshot of this lake",
            hint="Write 2026-11-23T10:15, yesterday or 2h; `tidelake lake snapshots` and "
            "`tidelake lake tags` list the others.",
        ) from exc


def plain(value: Any) -> Any:
    """A value as JSON and CSV hold it: times in ISO 8601, bytes in hex."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, dict):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    if isinstance(value, Decimal):
        return float(value)
    return value if isinstance(value, str | int | float | bool) or value is None else str(value)


Rows = Iterator[Sequence[Any]]


def _rows(asked: duckdb.DuckDBPyConnection, limit: int | None) -> Rows:
    left = float("inf") if limit is None else limit
    while left > 0 and (rows := asked.fetchmany(int(min(ROWS_AT_ONCE, left)))):
        yield from rows
        left -= len(rows)


def _write_csv(out: IO[str], columns: Sequence[str], rows: Rows) -> int:
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    written = 0
    for row in rows:
        cells = (plain(value) for value in row)
        writer.writerow(json.dumps(c) if isinstance(c, list | dict) else c for c in cells)
        written += 1
    return written


def _write_ndjson(out: IO[str], columns: Sequence[str], rows: Rows) -> int:
    written = 0
    for row in rows:
        out.write(_object(columns, row) + "\n")
        written += 1
    return written


def _write_json(out: IO[str], columns: Sequence[str], rows: Rows) -> int:
    written = 0
    for row in rows:
        out.write(("[\n" if written == 0 else ",\n") + _object(columns, row))
        written += 1
    out.write("\n]\n" if written else "[]\n")
    return written


def _object(columns: Sequence[str], row: Sequence[Any]) -> str:
    values = {name: plain(value) for name, value in zip(columns, row, strict=True)}
    return json.dumps(values, ensure_ascii=False)


_WRITERS = {"csv": _write_csv, "json": _write_json, "ndjson": _write_ndjson}


@contextmanager
def _explained() -> Iterator[None]:
    """DuckDB's errors as ours: what is wrong with the query, or with the files it reads."""
    import duckdb

    try:
        yield
    except (duckdb.IOException, duckdb.HTTPException) as exc:
        raise DamagedError(
            f"DuckDB can not read the lake: {exc}", hint="`tidelake status` names what is missing."
        ) from exc
    except duckdb.OutOfMemoryException as exc:
        raise UsageError(
            f"the query needs more memory than DuckDB may take here: {exc}",
            hint="Choose fewer columns, fewer days or a limit.",
        ) from exc
    except duckdb.Error as exc:
        raise UsageError(
            str(exc), hint="`tidelake sql` without a query lists the tables and their columns."
        ) from exc
