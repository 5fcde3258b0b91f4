"""What the raw layer holds and what it could not take, for people."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from tidelake.pipeline.lakehouse import Lakehouse
from tidelake.warehouse.raw import ledger
from tidelake.warehouse.raw.tables import partition_day, partitions
from tidelake.warehouse.session import connect


@dataclass(frozen=True, slots=True)
class RawTable:
    """One table of raw in numbers; days are those of load that it has partitions for."""

    table: str
    totals: ledger.Totals
    days: tuple[date, ...]


@dataclass(frozen=True, slots=True)
class SetAside:
    """A row of the lake that PostgreSQL refused."""

    at: datetime
    table: str
    load_id: int
    row_number: int
    source_position: str | None
    reason: str
    file_path: str
    record: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Reconciled:
    """A comparison of raw with the lake, and what it changed."""

    at: datetime
    table: str
    reason: str
    loaded: int
    removed: int
    unexplained: int


SET_ASIDE = """
select at, table_name, load_id, row_number, source_position, reason, file_path, record
from tidelake.set_aside
order by load_id desc, row_number desc
limit %s
"""

RECONCILED = """
select at, table_name, reason, loaded, removed, unexplained
from tidelake.reconciliations
order by id desc
limit %s
"""


def tables(lakehouse: Lakehouse) -> list[RawTable]:
    """Both tables, from the ledger."""
    with connect(lakehouse.database_url) as connection:
        return [
            RawTable(name, found, tuple(map(partition_day, partitions(connection, name))))
            for name, found in ledger.totals(connection).items()
        ]


def set_aside(lakehouse: Lakehouse, limit: int) -> list[SetAside]:
    """The newest rows that were set aside, newest first."""
    with connect(lakehouse.database_url) as connection:
        return [SetAside(*row) for row in connection.execute(SET_ASIDE, (limit,)).fetchall()]


def reconciled(lakehouse: Lakehouse, limit: int) -> list[Reconciled]:
    """The newest comparisons with the lake, newest first."""
    with connect(lakehouse.database_url) as connection:
        return [Reconciled(*row) for row in connection.execute(RECONCILED, (limit,)).fetchall()]
