"""The tables of raw are what the contract and the Prisma schema say."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from tidelake.errors import IncompatibleError
from tidelake.event.contract import EVENTS, REJECTED, Contract
from tidelake.event.fields import Field, Type
from tidelake.event.schemas.postgres import POSTGRES_TYPES
from tidelake.warehouse.raw.tables import columns_of, ensure_partition, ensure_raw, partitions
from tidelake.warehouse.session import connect

ROOT = Path(__file__).resolve().parents[3]
PRISMA = {
    "String": "text",
    "BigInt": "bigint",
    "Int": "integer",
    "Float": "double precision",
    "Boolean": "boolean",
    "Bytes": "bytea",
    "DateTime @db.Date": "date",
    "DateTime @db.Timestamptz(6)": "timestamp with time zone",
    "String[]": "text[]",
}
LINE = re.compile(r"  (\w+) (\w+(?:\[\])?)(\??)((?: @db\.\w+(?:\(\d+\))?)?)(?: @map\(\"(\w+)\"\))?")
NULLABLE = """
select attname, not attnotnull from pg_attribute
where attrelid = %s::regclass and attnum > 0 and not attisdropped
"""


def prisma_columns(table: str) -> dict[str, tuple[str, bool]]:
    """Type and whether it may be null, by column, of the model that is mapped to `raw.<table>`."""
    text = (ROOT / "prisma" / "schema.prisma").read_text("utf-8")
    model = next(m for m in text.split("model ")[1:] if f'@@map("{table}")' in m)
    found = {}
    for name, kind, optional, native, mapped in LINE.findall(model.partition("@@id")[0]):
        found[mapped or name] = (PRISMA[kind + native], optional == "?")
    return found


@pytest.mark.parametrize("contract", [EVENTS, REJECTED], ids=lambda c: c.table)
def test_the_table_is_what_prisma_says(contract: Contract, url: str) -> None:
    with connect(url) as connection:
        ensure_raw(connection, contract)
        types = columns_of(connection, contract.table)
        nullable = connection.execute(NULLABLE, (f"raw.{contract.table}",)).fetchall()

    assert {n: (types[n], may) for n, may in nullable} == prisma_columns(contract.table)


def test_fields_that_came_later_become_columns_whatever_they_are_called(url: str) -> None:
    added = (
        Field(2000, "order", Type.DOUBLE, "It's a word of SQL"),
        Field(2001, "Ünïcode", Type.STRINGS, "and no plain name"),
        Field(2002, "x" * 70, Type.TIMESTAMP, "longer than PostgreSQL's names"),
    )
    with connect(url) as connection:
        ensure_raw(connection, EVENTS)
        ensure_partition(connection, "events", date(2026, 11, 24))
        for _ in range(2):
            ensure_raw(connection, EVENTS.with_fields(added))
        found = columns_of(connection, "events")

    assert (found["order"], found["Ünïcode"]) == ("double precision", "text[]")
    assert found["x" * 63] == "timestamp with time zone"


def test_a_column_of_another_type_is_refused(url: str) -> None:
    with connect(url) as connection:
        ensure_raw(connection, EVENTS.with_fields((Field(2000, "extra", Type.LONG, "a"),)))
        with pytest.raises(IncompatibleError, match=r"raw\.events\.extra is bigint"):
            ensure_raw(connection, EVENTS.with_fields((Field(2000, "extra", Type.STRING, "a"),)))


def test_everything_in_raw_belongs_to_its_owner(url: str) -> None:
    with connect(url) as connection:
        for contract in (EVENTS, REJECTED):
            ensure_raw(connection, contract)
            ensure_partition(connection, contract.table, date(2026, 11, 24))
        owners = connection.execute(
            "select distinct pg_get_userbyid(relowner) from pg_class "
            "where relnamespace = 'raw'::regnamespace"
        ).fetchall()
        assert owners == [("raw_owner",)]
        assert partitions(connection, "events") == ["events_20261124"]


def test_every_type_of_the_contract_has_one_in_postgresql() -> None:
    assert set(POSTGRES_TYPES) == set(Type)
