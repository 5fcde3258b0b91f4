"""SQL over the layers, as they are or as they were; reads only."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import IO, TYPE_CHECKING, Any, Literal

from tidelake.errors import DamagedError, TidelakeError, UsageError
from tidelake.event.contract import EVENTS, REJECTED
from tidelake.lake.tables import load_table
from tidelake.lake.travel import find
from tidelake.pipeline import published
from tidelake.pipeline.lakehouse import Lakehouse
from tidelake.pipeline.layers import LAYERS, PERSONAL, Layer, Layers, connected
from tidelake.pipeline.moments import maybe_moment
from tidelake.pipeline.query_formats import WRITERS, Rows

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

Format = Literal["csv", "json", "ndjson", "parquet"]

ROWS_AT_ONCE = 2048
READING = ("SELECT", "EXPLAIN", "RELATION")  # DESCRIBE, SHOW, SUMMARIZE and FROM are SELECTs
# The one function in a SELECT that hands PostgreSQL any text, also one that ends the read-only
# transaction. What the login may not do is refused there as well.
WRITING = re.compile(r"\bpostgres_execute\b", re.IGNORECASE)
GOLD_VERSION = re.compile(r"v(\d+)")


@dataclass(frozen=True, slots=True)
class Answer:
    """The first rows of an answer; `more` says whether there are others."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    more: bool


@dataclass(frozen=True, slots=True)
class Shape:
    """A table of a layer: names and types of its columns."""

    layer: str
    table: str
    columns: tuple[tuple[str, str], ...]

    @property
    def name(self) -> str:
        return f"{self.layer}.{self.table}"


class Queries:
    """Asks a connection of its own; every method raises `UsageError` with DuckDB's message."""

    def __init__(self, layers: Layers) -> None:
        self._connection = layers.connection
        self.absent: Mapping[str, TidelakeError] = layers.absent

    def statements(self, sql: str) -> list[str]:
        """The statements of a text; raises `UsageError` for one that does not read."""
        with self._explained(sql):
            found = self._connection.extract_statements(sql)
        for statement in found:
            if statement.type.name not in READING or WRITING.search(statement.query):
                raise UsageError(
                    f"{statement.type.name} is not a query: {statement.query.strip()[:200]}",
                    hint="`tidelake sql` reads. Rows come in by `tidelake ingest` and the "
                    "collector; --output writes an answer to a file.",
                )
        return [statement.query for statement in found]

    def answer(self, sql: str, limit: int) -> Answer:
        """The first `limit` rows."""
        with self._explained(sql):
            asked = self._connection.execute(sql)
            columns = tuple(column[0] for column in asked.description or ())
            rows = asked.fetchmany(limit + 1)
        return Answer(columns, tuple(rows[:limit]), len(rows) > limit)

    def write(self, sql: str, out: IO[bytes], form: Format, limit: int | None) -> int:
        """Writes all rows, at most `limit`, in bounded memory; gives their number."""
        with self._explained(sql):
            # Arrow would give the connection's time zone a name; a row gives Python's values.
            if form == "parquet":
                return self._write_parquet(sql, out, limit)
            asked = self._connection.execute(sql)
            columns = [column[0] for column in asked.description or ()]
            text = io.TextIOWrapper(out, "utf-8", newline="", write_through=True)
            try:
                return WRITERS[form](text, columns, _rows(asked, limit))
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

    def tables(self) -> list[Shape]:
        """Every table of every layer that is there, in the order of the layers, with its columns.

        Personal tables of silver come last, where the login may read them.
        """
        rows = self._connection.execute(COLUMNS).fetchall()
        order = {layer: at for at, layer in enumerate((*LAYERS, PERSONAL))}
        found: dict[tuple[str, str], list[tuple[str, str]]] = {}
        for layer, table, column, kind in rows:
            found.setdefault((layer, table), []).append((column, kind))
        shapes = [Shape(layer, table, tuple(columns)) for (layer, table), columns in found.items()]
        return sorted(shapes, key=lambda shape: (order[shape.layer], shape.table))

    @contextmanager
    def _explained(self, sql: str) -> Iterator[None]:
        """DuckDB's errors as ours: what is wrong with the query, or with what it reads."""
        import duckdb

        try:
            yield
        except (duckdb.CatalogException, duckdb.BinderException) as exc:
            raise self._unknown(sql, exc) from exc
        except (duckdb.IOException, duckdb.HTTPException) as exc:
            raise DamagedError(
                f"DuckDB can not read the lake: {exc}",
                hint="`tidelake status` names what is missing.",
            ) from exc
        except duckdb.OutOfMemoryException as exc:
            raise UsageError(
                f"the query needs more memory than DuckDB may take here: {exc}",
                hint="Choose fewer columns, fewer days or a limit.",
            ) from exc
        except duckdb.Error as exc:
            raise UsageError(str(exc), hint=LISTS) from exc

    def _unknown(self, sql: str, exc: Exception) -> TidelakeError:
        """What a query misses: a layer that is not there, or a name that no layer has."""
        for layer, trouble in self.absent.items():
            if re.search(rf"\b{layer}(_pii)?\s*\.", sql, re.IGNORECASE):
                return trouble
        # A bare name may be meant of a layer that is not there.
        missing = "table" in str(exc).lower() and "does not exist" in str(exc)
        more = [f"No {layer}: {trouble.message}." for layer, trouble in self.absent.items()]
        return UsageError(str(exc), hint=" ".join([LISTS, *(more if missing else ())]))


LISTS = "`tidelake sql` without a query lists the tables and their columns."

COLUMNS = f"""
select schema_name, table_name, column_name, data_type
from duckdb_columns()
where
    database_name = current_database()
    and schema_name in ({", ".join(f"'{layer}'" for layer in (*LAYERS, PERSONAL))})
order by schema_name, table_name, column_index
"""


@contextmanager
def queries(
    lakehouse: Lakehouse, as_of: str, now: datetime, layer: Layer = "all", *, personal: bool = False
) -> Iterator[Queries]:
    """Queries over the layers; a bare name is a table of `layer`, any other has its layer before.

    `as_of` is empty, a time, a tag, a snapshot id or a version of gold (`v12`). `personal` reads
    silver's personal tables too. Raises `UsageError` where it is none of these, or where no state
    of that time is left.
    """
    gold = None
    if version := GOLD_VERSION.fullmatch(as_of):
        gold = published.version(lakehouse.settings.home, int(version[1]))
    at = gold.said.published_at if gold else resolve(lakehouse, as_of, now)
    with connected(lakehouse, layer, at, gold, personal=personal) as layers:
        yield Queries(layers)


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


def _rows(asked: duckdb.DuckDBPyConnection, limit: int | None) -> Rows:
    left = float("inf") if limit is None else limit
    while left > 0 and (rows := asked.fetchmany(int(min(ROWS_AT_ONCE, left)))):
        yield from rows
        left -= len(rows)
