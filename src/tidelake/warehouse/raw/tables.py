"""raw.events and raw.rejected_events, made from the contract, and their partitions by day of load.

Everything belongs to raw_owner, whoever makes it.
"""

from __future__ import annotations

from datetime import date, timedelta

from psycopg import sql

from tidelake.errors import IncompatibleError
from tidelake.event.contract import EVENTS, REJECTED, Contract
from tidelake.event.fields import Field
from tidelake.event.schemas.postgres import POSTGRES_TYPES, postgres_ddl
from tidelake.warehouse.roles import acting_as
from tidelake.warehouse.session import Connection

SCHEMA = "raw"
OWNER = "raw_owner"
BASE = {contract.table: contract for contract in (EVENTS, REJECTED)}

# PostgreSQL tries to compress the long columns of a row above 2 kB, as most are, and moves them out
# of line: that is half of what a load costs, and saves 8 % of the space.
KEPT_INLINE = sql.SQL("toast_tuple_target = 8160")

COLUMNS = """
select attname, format_type(atttypid, atttypmod)
from pg_attribute
where attrelid = to_regclass(%s) and attnum > 0 and not attisdropped
"""

PARTITIONS = """
select relname
from pg_inherits
inner join pg_class on pg_class.oid = inhrelid
where inhparent = to_regclass(%s)
order by relname
"""


def ensure_raw(connection: Connection, contract: Contract) -> None:
    """Makes raw.<table>, or adds the columns that the lake's table has got since.

    Raises IncompatibleError where a column has another type than the contract says.
    """
    if not missing_fields(connection, contract):
        return
    with acting_as(connection, OWNER):
        connection.execute(
            "select pg_advisory_xact_lock(hashtextextended(%s, 0))", (f"{SCHEMA}.{contract.table}",)
        )
        if not columns_of(connection, contract.table):
            connection.execute(postgres_ddl(BASE[contract.table]).encode())
            connection.execute(
                sql.SQL("create index on {} (load_id)").format(qualified(contract.table))
            )
        for field in missing_fields(connection, contract):
            _add_column(connection, contract.table, field)


def missing_fields(connection: Connection, contract: Contract) -> list[Field]:
    """Fields of the contract that raw.<table> has no column for."""
    known = columns_of(connection, contract.table)
    for field in contract:
        found, wanted = known.get(column(field.name)), POSTGRES_TYPES[field.type]
        if found is not None and found != _full_name(wanted):
            raise IncompatibleError(
                f"{SCHEMA}.{contract.table}.{field.name} is {found}, and {wanted} in the lake",
                hint=f"Rename that column of {SCHEMA}.{contract.table}; the loader adds its own.",
            )
    return [field for field in contract if column(field.name) not in known]


def columns_of(connection: Connection, table: str) -> dict[str, str]:
    """Columns of raw.<table> and their types; none where there is no table."""
    return dict(connection.execute(COLUMNS, (f"{SCHEMA}.{table}",)).fetchall())


def column(name: str) -> str:
    """The name of a field's column: PostgreSQL cuts names that are longer than 63 bytes."""
    return name.encode()[:63].decode(errors="ignore")


def qualified(table: str) -> sql.Identifier:
    return sql.Identifier(SCHEMA, table)


def partition_name(table: str, day: date) -> str:
    return f"{table}_{day:%Y%m%d}"


def partition_day(partition: str) -> date:
    """The day that the name of a partition tells."""
    digits = partition[-8:]
    return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))


def partitions(connection: Connection, table: str) -> list[str]:
    """Names of the partitions of raw.<table>, in order of their days."""
    return [name for (name,) in connection.execute(PARTITIONS, (f"{SCHEMA}.{table}",)).fetchall()]


def ensure_partition(connection: Connection, table: str, day: date) -> str:
    """The name of the partition for a day of load, made where it is missing."""
    name = partition_name(table, day)
    if name in partitions(connection, table):
        return name
    with acting_as(connection, OWNER):
        make_table_like(connection, table, name)
        attach_partition(connection, table, name, day)
    return name


def make_table_like(connection: Connection, table: str, name: str) -> None:
    """An empty table in raw with the columns of raw.<table>, to be made a partition of it later."""
    connection.execute(
        sql.SQL("create table if not exists {} (like {} including defaults) with ({})").format(
            qualified(name), qualified(table), KEPT_INLINE
        )
    )


def attach_partition(connection: Connection, table: str, name: str, day: date) -> None:
    """Makes a table the partition of a day.

    Not `create table … partition of`: it waits for all who read the table, and all wait for it.
    """
    connection.execute(
        sql.SQL("alter table {} attach partition {} for values from ({}) to ({})").format(
            qualified(table),
            qualified(name),
            sql.Literal(day.isoformat()),
            sql.Literal((day + timedelta(days=1)).isoformat()),
        )
    )


def _add_column(connection: Connection, table: str, field: Field) -> None:
    name = sql.Identifier(column(field.name))
    connection.execute(
        sql.SQL("alter table {} add column if not exists {} {}").format(
            qualified(table), name, sql.SQL(POSTGRES_TYPES[field.type])
        )
    )
    connection.execute(
        sql.SQL("comment on column {}.{} is {}").format(
            qualified(table), name, sql.Literal(field.meaning)
        )
    )


def _full_name(type: str) -> str:
    """As PostgreSQL itself calls the type."""
    return {"timestamptz": "timestamp with time zone"}.get(type, type)
