"""PostgreSQL DDL of the raw layer: the contract's columns and where each row was loaded from."""

from __future__ import annotations

from tidelake.event.contract import Contract
from tidelake.event.fields import Field, Type

POSTGRES_TYPES: dict[Type, str] = {
    Type.STRING: "text",
    Type.LONG: "bigint",
    Type.DOUBLE: "double precision",
    Type.BOOLEAN: "boolean",
    Type.TIMESTAMP: "timestamptz",
    Type.DATE: "date",
    Type.BINARY: "bytea",
    Type.KEY: "bytea",
    Type.STRINGS: "text[]",
}

# No primary key: the load ledger makes rows exact, and random keys cost three times the CPU of a
# load at 2M rows. Partitions are days of load, so that retention drops whole tables.
LOAD_COLUMNS = (
    "load_id bigint not null",
    "row_number integer not null",
    "load_day date not null",
)


def postgres_ddl(contract: Contract, schema: str = "raw") -> str:
    """`create table` and `comment on column` statements."""
    columns = [*LOAD_COLUMNS, *(_column(field) for field in contract)]
    body = ",\n".join(f"    {column}" for column in columns)
    table = f"{schema}.{contract.table}"
    create = f"create table if not exists {table} (\n{body}\n) partition by range (load_day);"
    comments = [f"comment on table {table} is {_quoted(contract.meaning)};"]
    comments += [_comment(table, field) for field in contract]
    return "\n".join([create, *comments]) + "\n"


def _column(field: Field) -> str:
    return f"{field.name} {POSTGRES_TYPES[field.type]}{' not null' if field.required else ''}"


def _comment(table: str, field: Field) -> str:
    meaning = f"{field.meaning} ({field.unit})" if field.unit else field.meaning
    return f"comment on column {table}.{field.name} is {_quoted(meaning)};"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
