"""Retention of raw: whole days of load are dropped; what they held stays in the ledger."""

from __future__ import annotations

from datetime import date

from psycopg import sql

from tidelake import crash
from tidelake.warehouse.raw.tables import (
    OWNER,
    partition_day,
    partition_name,
    partitions,
    qualified,
)
from tidelake.warehouse.roles import acting_as
from tidelake.warehouse.session import Connection

# Dropping waits for whoever reads the table, and all others wait for it: rather try again later.
LONGEST_WAIT = "2s"

DROPPED = """
update tidelake.loads set dropped_at = now()
where table_name = %s and load_day = %s and dropped_at is null
"""

HELD_BACK = """
select exists (
    select from tidelake.load_totals
    where
        table_name = %s
        and exists (select from tidelake.windows where started_at < brought_back_at)
)
"""


def held_back(connection: Connection, table: str) -> bool:
    """Whether a rebuild brought back days that silver was not made anew from since.

    Somebody wanted them for that: silver of before has taken them, so nothing else holds them.
    """
    return connection.execute(HELD_BACK, (table,)).fetchone() == (True,)


def drop_before(connection: Connection, table: str, first_kept: date, taken: int) -> list[date]:
    """Drops the partitions of raw.<table> for days before `first_kept`; gives their days.

    Of a day with loads above `taken`, the load id up to which everything has been made of raw,
    nothing is dropped. Raises psycopg's LockNotAvailable while somebody reads for long.
    """
    dropped = []
    for name in partitions(connection, table):
        day = partition_day(name)
        if day < first_kept and _highest(connection, name) <= taken:
            _drop(connection, table, day)
            dropped.append(day)
    return dropped


def _highest(connection: Connection, partition: str) -> int:
    query = sql.SQL("select coalesce(max(load_id), 0) from {}").format(qualified(partition))
    (highest,) = connection.execute(query).fetchone() or (0,)
    return int(highest)


def _drop(connection: Connection, table: str, day: date) -> None:
    with connection.transaction():
        connection.execute(sql.SQL("set local lock_timeout = {}").format(LONGEST_WAIT))
        connection.execute(DROPPED, (table, day))
        with acting_as(connection, OWNER):
            name = partition_name(table, day)
            connection.execute(sql.SQL("drop table {}").format(qualified(name)))
        crash.point("retention.before_commit")
