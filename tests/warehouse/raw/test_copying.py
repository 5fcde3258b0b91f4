"""What binary COPY makes of batches."""

from __future__ import annotations

from datetime import date

import psycopg
import pyarrow as pa
import pytest

from tidelake.event.contract import REJECTED
from tidelake.warehouse.raw.copying import as_loaded, copy_into
from tidelake.warehouse.raw.tables import ensure_raw
from tidelake.warehouse.session import connect


def test_a_null_where_none_may_be_is_refused_and_not_an_empty_text(url: str) -> None:
    """pgpq writes an empty value for a null in a column that its schema calls not null."""
    schema = pa.schema([pa.field("reason", pa.string(), nullable=False)])
    batch = pa.RecordBatch.from_arrays([pa.array([None], pa.string())], schema=schema)
    row = as_loaded(batch, 1, 1, date(2026, 11, 24))
    strict = pa.schema([field.with_nullable(False) for field in row.schema])
    row = pa.RecordBatch.from_arrays(row.columns, schema=strict)
    with connect(url) as connection:
        ensure_raw(connection, REJECTED)
        connection.execute("create table raw.plain (like raw.rejected_events)")
        connection.execute("alter table raw.plain alter column source drop not null")
        with pytest.raises(psycopg.IntegrityError, match='column "reason"'):
            copy_into(connection, "plain", [row])
