"""What a user asks of the lake's tables: numbers, states, care, new columns, the way back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tidelake.errors import UsageError
from tidelake.event.contract import EVENTS, REJECTED
from tidelake.event.fields import Field
from tidelake.lake import evolve, travel
from tidelake.lake.care.run import TableReport
from tidelake.lake.entries import LiveFile, live_files
from tidelake.lake.recover import recover as register
from tidelake.lake.statistics import TableStatistics, statistics
from tidelake.lake.tables import load_table
from tidelake.lake.travel import State
from tidelake.pipeline.care import carer
from tidelake.pipeline.home import make_home
from tidelake.pipeline.lakehouse import Lakehouse, catalog_of
from tidelake.pipeline.moments import maybe_moment
from tidelake.settings import Settings
from tidelake.warehouse.connect import borrowed
from tidelake.warehouse.migrate import migrate

TABLES = (EVENTS.table, REJECTED.table)


@dataclass(frozen=True, slots=True)
class Rollback:
    """What a rollback of `events` would do, as the table is now."""

    target: State
    rows_removed: int  # negative: rows that come back


def numbers(lakehouse: Lakehouse) -> list[TableStatistics]:
    """Statistics of both tables."""
    small = lakehouse.settings.care.small_file_bytes
    return [statistics(load_table(lakehouse.catalog, name), small) for name in TABLES]


def snapshots(lakehouse: Lakehouse, table: str) -> list[State]:
    """Every state that the table still has, oldest first."""
    return travel.states(load_table(lakehouse.catalog, _known(table)))


def files(lakehouse: Lakehouse, table: str) -> list[LiveFile]:
    """The live files of a table, in order of arrival."""
    return live_files(load_table(lakehouse.catalog, _known(table)))


def tag(lakehouse: Lakehouse, table: str, name: str, snapshot: str) -> State:
    """Names a snapshot (the current one where `snapshot` is empty), so that it stays."""
    loaded = load_table(lakehouse.catalog, _known(table))
    state = travel.find(loaded, snapshot) if snapshot else _current(travel.states(loaded), table)
    travel.tag(lakehouse.catalog, table, name, state.snapshot_id)
    return state


def care(lakehouse: Lakehouse, now: datetime) -> list[TableReport]:
    """One round of care, held back by the consumers' watermarks as ever."""
    with carer(lakehouse) as looking:
        return looking.once(now)


def add_column(lakehouse: Lakehouse, path: str, kind: str, name: str, meaning: str) -> Field:
    """Adds a column to `events` that new data fills from a path in `_doc`."""
    return evolve.add_column(lakehouse.catalog, path, kind, name, meaning)


def plan_rollback(lakehouse: Lakehouse, to: str, now: datetime) -> Rollback:
    """The state that `to` (a time, tag or snapshot id) names, and the rows that would go."""
    table = load_table(lakehouse.catalog, EVENTS.table)
    stated = maybe_moment(to, now)
    target = travel.as_of(table, stated) if stated else travel.find(table, to)
    if target.current:
        raise UsageError(
            f"events is what it was at {target.at.isoformat()} already",
            hint="`tidelake lake snapshots` lists other states.",
        )
    return Rollback(target, travel.rows_removed(table, target.snapshot_id))


def roll_back(lakehouse: Lakehouse, plan: Rollback, identity: UUID) -> State:
    """Rolls `events` back as planned; gives the state that it has then."""
    table = travel.rollback(lakehouse.catalog, plan.target.snapshot_id, identity.hex)
    return _current(travel.states(table), EVENTS.table)


def recover(settings: Settings) -> list[TableStatistics]:
    """Registers the warehouse's tables in a database that does not know them any more.

    The database may be new. Tables that it knows stay as they are. Raises `SetupError` where the
    warehouse holds no table.
    """
    make_home(settings.home)
    with borrowed(settings.home, settings.postgres.url or None) as database:
        migrate(database.url)
        catalog = catalog_of(settings, database.url)
        try:
            return [statistics(table) for table in register(catalog)]
        finally:
            catalog.close()


def _known(table: str) -> str:
    if table not in TABLES:
        raise UsageError(f"{table!r} is no table", hint=f"Choose {' or '.join(TABLES)}.")
    return table


def _current(known: Sequence[State], table: str) -> State:
    for state in known:
        if state.current:
            return state
    raise UsageError(f"{table} is empty", hint="Send events first: `tidelake up --generate 100`.")
