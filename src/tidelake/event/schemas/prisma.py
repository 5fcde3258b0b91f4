"""Prisma schema of the raw layer, for teams whose services read it through Prisma."""

from __future__ import annotations

from tidelake.event.contract import Contract
from tidelake.event.fields import Field, Type

PRISMA_TYPES: dict[Type, str] = {
    Type.STRING: "String",
    Type.LONG: "BigInt",
    Type.DOUBLE: "Float",
    Type.BOOLEAN: "Boolean",
    Type.TIMESTAMP: "DateTime",
    Type.DATE: "DateTime",
    Type.BINARY: "Bytes",
    Type.KEY: "Bytes",
    Type.STRINGS: "String",
}
NATIVE_TYPES = {Type.TIMESTAMP: " @db.Timestamptz(6)", Type.DATE: " @db.Date"}

HEADER = """\
// Made from the event contract by `tidelake schema export prisma`; do not edit.
generator client {
  provider = "prisma-client-js"
}

datasource db {
  provider = "postgresql"
  schemas  = ["raw"]
}
"""


def prisma_schema(*contracts: Contract) -> str:
    """One model per contract; the rows of a load are the unique criterion that Prisma asks for."""
    return "\n".join([HEADER, *(_model(contract) for contract in contracts)])


def _model(contract: Contract) -> str:
    name = {"events": "Event", "rejected_events": "RejectedEvent"}[contract.table]
    lines = [f"/// {contract.meaning}", f"model {name} {{"]
    lines += [
        "  load_id BigInt",
        "  row_number Int",
        "  load_day DateTime @db.Date",
    ]
    lines += [_line(field) for field in contract]
    lines += ["", "  @@id([load_id, row_number])", f'  @@map("{contract.table}")']
    return "\n".join([*lines, '  @@schema("raw")', "}", ""])


def _line(field: Field) -> str:
    suffix = "[]" if field.type is Type.STRINGS else "" if field.required else "?"
    # Prisma refuses names that begin with an underscore.
    mapped = f' @map("{field.name}")' if field.name.startswith("_") else ""
    declared = PRISMA_TYPES[field.type] + suffix + NATIVE_TYPES.get(field.type, "") + mapped
    return f"  {field.name.lstrip('_')} {declared} /// {field.meaning}"
