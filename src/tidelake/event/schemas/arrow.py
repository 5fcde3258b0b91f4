"""Arrow schema of a contract; field ids travel as Parquet field ids."""

from __future__ import annotations

import pyarrow as pa

from tidelake.event.contract import Contract
from tidelake.event.fields import Field, Type

ARROW_TYPES: dict[Type, pa.DataType] = {
    Type.STRING: pa.string(),
    Type.LONG: pa.int64(),
    Type.DOUBLE: pa.float64(),
    Type.BOOLEAN: pa.bool_(),
    Type.TIMESTAMP: pa.timestamp("us", tz="UTC"),
    Type.DATE: pa.date32(),
    Type.BINARY: pa.binary(),
    Type.KEY: pa.binary(16),
}


def arrow_schema(contract: Contract) -> pa.Schema:
    """The Arrow schema, with `PARQUET:field_id` on every field and on list elements."""
    return pa.schema([_field(field) for field in contract])


def _field(field: Field) -> pa.Field:
    return pa.field(field.name, _type(field), not field.required, _id(field.id))


def _type(field: Field) -> pa.DataType:
    if field.type is Type.STRINGS:
        element = pa.field("element", pa.string(), nullable=False, metadata=_id(field.element_id))
        return pa.list_(element)
    return ARROW_TYPES[field.type]


def _id(number: int) -> dict[bytes, bytes]:
    return {b"PARQUET:field_id": str(number).encode()}
