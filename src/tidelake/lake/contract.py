"""The contract of a table as it stands: tidelake's fields and those that a user evolved."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tidelake.errors import DamagedError, IncompatibleError
from tidelake.event.contract import Contract
from tidelake.event.fields import Field, Type
from tidelake.lake.tables import CONTRACTS

if TYPE_CHECKING:
    from pyiceberg.table import Table

EVOLVED = "tidelake.evolved"  # property: JSON list of the evolved fields, with their paths


def contract_of(table: Table) -> Contract:
    """The fields of the table, in its column order, with the path each is filled from."""
    return CONTRACTS[table.name()[-1]].with_fields(evolved(table))


def evolved(table: Table) -> tuple[Field, ...]:
    content = table.properties.get(EVOLVED, "[]")
    try:
        return tuple(
            Field(
                id=entry["id"],
                name=entry["name"],
                type=Type(entry["type"]),
                meaning=entry["meaning"],
                path=tuple(entry["path"]),
            )
            for entry in json.loads(content)
        )
    except (ValueError, KeyError, TypeError) as exc:
        raise DamagedError(
            f"the property {EVOLVED} of {'.'.join(table.name())} can not be read: {content[:200]}",
            hint="Set it to the value it had in an earlier metadata file.",
        ) from exc


def evolved_property(fields: tuple[Field, ...]) -> dict[str, str]:
    entries = [
        {
            "id": field.id,
            "name": field.name,
            "type": field.type.value,
            "meaning": field.meaning,
            "path": field.path,
        }
        for field in fields
    ]
    return {EVOLVED: json.dumps(entries, separators=(",", ":"))}


def require_known_columns(table: Table, contract: Contract) -> None:
    """Raises `IncompatibleError` where another engine added, dropped or renamed columns."""
    ours = {(field.id, field.name) for field in contract}
    theirs = {(field.field_id, field.name) for field in table.schema().fields}
    if ours != theirs:
        names = ", ".join(sorted(name for _, name in ours ^ theirs))
        raise IncompatibleError(
            f"{'.'.join(table.name())} has columns that tidelake did not make: {names}",
            hint="Rewriting would lose them: compact this table with the engine that made them.",
        )
