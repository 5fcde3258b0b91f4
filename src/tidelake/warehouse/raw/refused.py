"""The rows that PostgreSQL does not take, found among many by halving, each try in a savepoint.

Such a row can not come through `process`; another engine may write it, or a disk may damage it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import psycopg
import pyarrow as pa
from psycopg.types.json import Jsonb

from tidelake.warehouse.raw.copying import copy_into
from tidelake.warehouse.session import Connection

#: What says that a row is at fault, and not the server or the setup: values that no type takes,
#: broken rules of the table, limits of the program. pgpq raises ValueError for what it can not
#: encode.
REFUSALS = (
    psycopg.DataError,
    psycopg.IntegrityError,
    psycopg.errors.ProgramLimitExceeded,
    ValueError,
)

LONGEST_VALUE = 10_000  # characters of a value that are kept; the lake has all of them

SET_ASIDE = """
insert into tidelake.set_aside
(load_id, table_name, file_path, row_number, source_position, reason, record)
values (%s, %s, %s, %s, %s, %s, %s)
"""


@dataclass(frozen=True, slots=True)
class Target:
    """Where the rows of a load go, and what is written down of a row that is set aside."""

    connection: Connection
    table: str
    partition: str
    load_id: int
    path: str


def with_care(target: Target, batches: Iterable[pa.RecordBatch]) -> tuple[int, int]:
    """Copies what PostgreSQL takes and sets aside what it refuses; gives how many of each."""
    taken = refused = 0
    for batch in batches:
        found = _copy(target, batch)
        refused += found
        taken += batch.num_rows - found
    return taken, refused


def _copy(target: Target, batch: pa.RecordBatch) -> int:
    """Number of rows that were set aside."""
    try:
        with target.connection.transaction():
            copy_into(target.connection, target.partition, [batch])
        return 0
    except REFUSALS as exc:
        if batch.num_rows == 1:
            _set_aside(target, batch, exc)
            return 1
    half = batch.num_rows // 2
    return _copy(target, batch.slice(0, half)) + _copy(target, batch.slice(half))


def _set_aside(target: Target, row: pa.RecordBatch, exc: Exception) -> None:
    values = {name: _shown(row.column(name)) for name in row.schema.names}
    where = (target.load_id, target.table, target.path, values["row_number"])
    reason = _plain(str(exc).strip().partition("\n")[0])
    entry = (*where, values.get("source_position"), reason, Jsonb(values))
    target.connection.execute(SET_ASIDE, entry)


def _shown(column: pa.Array) -> Any:
    """A value as JSON can hold it."""
    try:
        value = column[0].as_py()
    except (ValueError, OverflowError):  # text that is no UTF-8, a time that Python has not
        value = _bytes(column)
    if isinstance(value, bytes):
        return value[:LONGEST_VALUE].hex()
    if isinstance(value, str):
        return _plain(value)
    if isinstance(value, list):
        return [_plain(str(item)) for item in value]
    if value is None or isinstance(value, bool | int):
        return value
    return str(value)


def _bytes(column: pa.Array) -> bytes | str:
    if pa.types.is_string(column.type):
        found: bytes = column.view(pa.binary())[0].as_py()
        return found
    return str(column.view(pa.int64())[0].as_py())


def _plain(text: str) -> str:
    """Without what jsonb and text can not hold: U+0000 is shown as an escape."""
    return text.replace("\0", "\\u0000")[:LONGEST_VALUE]
