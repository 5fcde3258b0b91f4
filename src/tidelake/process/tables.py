"""Rows become Arrow tables with exactly the contract's schema."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import pyarrow as pa

from tidelake.event.contract import Contract
from tidelake.event.schemas.arrow import arrow_schema

schema_of = lru_cache(maxsize=16)(arrow_schema)


def table_of(contract: Contract, rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    """A table of rows by column name; a column that a row lacks is null in it."""
    schema = schema_of(contract)
    columns = [pa.array([row.get(field.name) for row in rows], field.type) for field in schema]
    return pa.Table.from_arrays(columns, schema=schema)
