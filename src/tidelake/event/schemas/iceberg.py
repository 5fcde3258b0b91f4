"""Iceberg schema of a contract, with the field ids that the contract gives."""

from __future__ import annotations

from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.transforms import DayTransform
from pyiceberg.types import (
    BinaryType,
    BooleanType,
    DateType,
    DoubleType,
    FixedType,
    IcebergType,
    ListType,
    LongType,
    NestedField,
    StringType,
    TimestamptzType,
)

from tidelake.event.contract import Contract
from tidelake.event.fields import Field, Type

ICEBERG_TYPES: dict[Type, IcebergType] = {
    Type.STRING: StringType(),
    Type.LONG: LongType(),
    Type.DOUBLE: DoubleType(),
    Type.BOOLEAN: BooleanType(),
    Type.TIMESTAMP: TimestamptzType(),
    Type.DATE: DateType(),
    Type.BINARY: BinaryType(),
    Type.KEY: FixedType(16),
}


def iceberg_schema(contract: Contract) -> Schema:
    """The Iceberg schema; every column carries its meaning as documentation."""
    return Schema(*(_field(field) for field in contract))


def iceberg_type(field: Field) -> IcebergType:
    if field.type is Type.STRINGS:
        return ListType(field.element_id, StringType(), element_required=True)
    return ICEBERG_TYPES[field.type]


def day_partition(contract: Contract) -> PartitionSpec:
    """One partition a UTC day of the contract's time column (field id 1000, Iceberg's first)."""
    column = contract[contract.partition_by]
    name = f"{column.name}_day"
    return PartitionSpec(PartitionField(column.id, 1000, DayTransform(), name))


def _field(field: Field) -> NestedField:
    meaning = f"{field.meaning} ({field.unit})" if field.unit else field.meaning
    return NestedField(
        field.id, field.name, iceberg_type(field), required=field.required, doc=meaning
    )
