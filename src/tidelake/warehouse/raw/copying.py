"""Arrow batches into a table of raw by PostgreSQL's binary COPY."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
from psycopg import sql

from tidelake.warehouse.raw.tables import column, qualified
from tidelake.warehouse.session import Connection


def as_loaded(batch: pa.RecordBatch, load_id: int, first_row: int, day: date) -> pa.RecordBatch:
    """The batch with the columns of its load before its own; `first_row` numbers its first row."""
    rows = batch.num_rows
    numbers = np.arange(first_row, first_row + rows, dtype=np.int32)
    return with_load(
        batch,
        pa.repeat(pa.scalar(load_id, pa.int64()), rows),
        pa.array(numbers),
        pa.repeat(pa.scalar(day, pa.date32()), rows),
    )


def with_load(
    batch: pa.RecordBatch, load_ids: pa.Array, row_numbers: pa.Array, load_days: pa.Array
) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays(
        [load_ids, row_numbers, load_days, *batch.columns],
        names=["load_id", "row_number", "load_day", *batch.schema.names],
    )


def copy_into(connection: Connection, table: str, batches: Iterable[pa.RecordBatch]) -> int:
    """COPY of batches of one schema into raw.<table>; gives the number of rows."""
    rows = 0
    batches = iter(batches)
    first = next(batches, None)
    if first is None:
        return 0
    with connection.cursor().copy(_copy(table, first.schema)) as copy:
        for data, count in _encoded(first, batches):
            copy.write(data)
            rows += count
    return rows


def _copy(table: str, schema: pa.Schema) -> sql.Composed:
    names = sql.SQL(", ").join(sql.Identifier(column(name)) for name in schema.names)
    return sql.SQL("copy {} ({}) from stdin (format binary)").format(qualified(table), names)


def _encoded(
    first: pa.RecordBatch, others: Iterator[pa.RecordBatch]
) -> Iterator[tuple[bytes, int]]:
    import pgpq

    # All nullable: for a null in a column that has none pgpq would write an empty value.
    schema = pa.schema([field.with_nullable(True).remove_metadata() for field in first.schema])
    encoder: Any = pgpq.ArrowToPostgresBinaryEncoder(schema)
    yield encoder.write_header(), 0
    for batch in _chained(first, others):
        same = pa.RecordBatch.from_arrays(batch.columns, schema=schema)
        yield encoder.write_batch(same), batch.num_rows
    yield encoder.finish(), 0


def _chained(first: pa.RecordBatch, others: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    yield first
    yield from others
