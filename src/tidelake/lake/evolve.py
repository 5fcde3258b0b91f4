"""New columns from paths in `_doc`: new data fills them, rows of before have null."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyiceberg.schema import Schema
from pyiceberg.table.update import (
    AddSchemaUpdate,
    AddSnapshotUpdate,
    AssertCurrentSchemaId,
    SetCurrentSchemaUpdate,
    SetPropertiesUpdate,
)
from pyiceberg.types import NestedField

from tidelake.errors import UsageError
from tidelake.event.contract import EVENTS
from tidelake.event.fields import Field, Type, column_name
from tidelake.event.schemas.iceberg import iceberg_type
from tidelake.lake import pointer
from tidelake.lake.contract import contract_of, evolved, evolved_property
from tidelake.lake.producers import merge_append
from tidelake.lake.swap import Swapper

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog
    from pyiceberg.table import Table
    from pyiceberg.table.update import TableUpdate, UpdatesAndRequirements

# Above every id that the contract may ever take for itself.
FIRST_EVOLVED_ID = 2000

TYPES = (Type.STRING, Type.LONG, Type.DOUBLE, Type.BOOLEAN, Type.TIMESTAMP)


def add_column(catalog: Catalog, path: str, type: str, name: str = "", meaning: str = "") -> Field:
    """Adds a column to `events` that is filled from `path`, and gives its field.

    `path` is dotted, `.` for `_doc.` (`.page.section`); `type` is string, long, double, boolean or
    timestamp; `name` is the path joined by `_` unless given. Adding it again changes nothing.
    Raises `UsageError` where path, type or name can not be.
    """
    change = AddColumn(_steps(path), _type(type), name, meaning or f"Value at {path}")
    table = Swapper(catalog, EVENTS.table).swap(change)
    pointer.publish(table)
    return next(field for field in evolved(table) if field.name == change.column)


@dataclass(frozen=True, slots=True)
class AddColumn:
    """A schema with one more column and the path it is filled from, with an empty snapshot.

    The snapshot makes a committer that holds the table load it, and so write the new schema.
    """

    path: tuple[str, ...]
    type: Type
    name: str
    meaning: str

    @property
    def column(self) -> str:
        return self.name or column_name(self.path)

    @property
    def what(self) -> str:
        return f"add the column {self.column}"

    def done(self, table: Table) -> bool:
        return any(
            (field.name, field.type, field.path) == (self.column, self.type, self.path)
            for field in evolved(table)
        )

    def check(self, table: Table) -> None:
        contract_of(table).with_fields((self._field(table),))  # refuses a name that is taken
        if self.column in table.schema().column_names:
            raise UsageError(
                f"{'.'.join(table.name())} has a column {self.column!r} of another engine",
                hint="Choose another name with --as.",
            )

    def build(self, table: Table) -> UpdatesAndRequirements:
        field, before = self._field(table), table.schema()
        schema = Schema(
            *before.fields,
            NestedField(
                field.id, field.name, iceberg_type(field), required=False, doc=field.meaning
            ),
            schema_id=max(known.schema_id for known in table.metadata.schemas) + 1,
        )
        updates, requirements = merge_append(table, {"tidelake.evolved": field.name})._commit()
        evolution: tuple[TableUpdate, ...] = (
            AddSchemaUpdate(schema=schema),
            SetCurrentSchemaUpdate.model_validate({"schema-id": schema.schema_id}),
            SetPropertiesUpdate(updates=evolved_property((*evolved(table), field))),
        )
        same_schema = AssertCurrentSchemaId.model_validate({"current-schema-id": before.schema_id})
        snapshot = (_with_schema(update, schema.schema_id) for update in updates)
        return (*evolution, *snapshot), (*requirements, same_schema)

    def _field(self, table: Table) -> Field:
        known = [field.id for field in evolved(table)]
        number = max(known, default=FIRST_EVOLVED_ID - 1) + 1
        return Field(number, self.column, self.type, self.meaning, self.path)


def _with_schema(update: TableUpdate, schema_id: int) -> TableUpdate:
    """The snapshot was built before its schema was in the table."""
    if not isinstance(update, AddSnapshotUpdate):
        return update
    return AddSnapshotUpdate(snapshot=update.snapshot.model_copy(update={"schema_id": schema_id}))


def _steps(path: str) -> tuple[str, ...]:
    steps = tuple((f"_doc{path}" if path.startswith(".") else path).split("."))
    if len(steps) < 2 or steps[0] != "_doc" or not all(steps):
        raise UsageError(
            f"{path!r} is no path in _doc", hint="Write it as .page.section or _doc.page.section."
        )
    return steps


def _type(name: str) -> Type:
    for type in TYPES:
        if type.value == name:
            return type
    raise UsageError(
        f"{name!r} is no type of an added column",
        hint=f"Choose one of {', '.join(type.value for type in TYPES)}.",
    )
