"""The loader is killed at every point of its own, and raw is the lake's rows, once each."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from tidelake.crash import POINTS
from tidelake.lake.tables import load_table
from tidelake.lake.travel import rollback
from tidelake.pipeline.lakehouse import Lakehouse, attach
from tidelake.pipeline.load import loaders_of
from tidelake.pipeline.loader import Progress
from tidelake.warehouse.raw import ledger
from tidelake.warehouse.session import Connection, connect

from .site import Child, Site

pytestmark = [pytest.mark.crash, pytest.mark.slow]

TABLES = ("events", "rejected_events")
KILLS = 3
A_COMMIT = 20  # records


@contextmanager
def loader(site: Site) -> Iterator[tuple[Lakehouse, Connection]]:
    """The lakehouse as the part `load` opens it, in this process."""
    lakehouse = attach(site.settings, site.database_url, role="ingest")
    with closing(lakehouse.catalog), connect(lakehouse.database_url) as connection:
        yield lakehouse, connection


def load(site: Site, days_ago: int = 0) -> None:
    """What waits, as if it were loaded so many days ago."""
    with loader(site) as (lakehouse, connection):
        for one in loaders_of(lakehouse, connection, Progress()):
            one.clock = lambda: datetime.now(UTC) - timedelta(days=days_ago)
            one.turn()


def commit(site: Site, times: int = 1) -> None:
    for _ in range(times):
        site.accept(site.clients.take(A_COMMIT))
        site.drain()


def killed(child: Child) -> None:
    """It died at its point, and did not end for any other reason."""
    assert child.wait() == -signal.SIGKILL, child.said()


def killed_load(site: Site, point: str) -> None:
    """Some files come before each start, and those of the killed one wait too."""
    for number in range(1, KILLS + 1):
        commit(site, 3)
        killed(site.start("run", "load", crash_at=f"{point}:{number}"))
    commit(site)


def killed_reconcile(site: Site, point: str) -> None:
    """Rows are rolled back before each start, and others come."""
    for _ in range(KILLS):
        commit(site)
        with loader(site) as (lakehouse, _):
            target = load_table(lakehouse.catalog, "events").metadata.current_snapshot_id
        commit(site, 2)
        load(site)
        with loader(site) as (lakehouse, _):
            rollback(lakehouse.catalog, target, uuid4().hex)
        killed(site.start("run", "load", crash_at=point))


def killed_retention(site: Site, point: str) -> None:
    """Two days are over; silver has their rows."""
    for days_ago in (5, 4, 0):
        commit(site)
        load(site, days_ago)
    with connect(site.database_url) as owner:
        owner.execute(
            "insert into tidelake.windows (from_load_id, to_load_id, timezone, status) "
            "select 0, last, 'UTC', 'done' from tidelake.load_counter"
        )
    for _ in range(KILLS):
        killed(site.start("run", "load", crash_at=point, TIDELAKE_LOAD_RETENTION_DAYS="2"))


def killed_rebuild(site: Site, point: str) -> None:
    """Some of raw is lost before each start; what is whole afterwards shows."""
    for _ in range(KILLS):
        commit(site)
        load(site)
        killed(site.start("rebuild", "raw", crash_at=point))
        with loader(site) as (_, connection):
            connection.execute("delete from raw.events where row_number = 3")
    assert site.start("rebuild", "raw").wait() == 0


Scenario = Callable[[Site, str], None]
SCENARIOS: list[tuple[str, Scenario]] = [
    (point, scenario)
    for room, scenario in (
        ("load.", killed_load),
        ("reconcile.", killed_reconcile),
        ("retention.", killed_retention),
        ("rebuild.", killed_rebuild),
    )
    for point in POINTS
    if point.startswith(room)
]


@pytest.mark.parametrize(
    ("point", "scenario"), SCENARIOS, ids=[f"{p}-{s.__name__}" for p, s in SCENARIOS]
)
def test_every_row_of_the_lake_is_in_raw_once(point: str, scenario: Scenario, site: Site) -> None:
    scenario(site, point)
    load(site)

    with loader(site) as (lakehouse, connection):
        _, wrong = ledger.count_rows(connection)
        assert wrong == []
        for table in TABLES:
            assert raw_rows(connection, table) == lake_rows(lakehouse, connection, table)
        assert ledger.totals(connection)["events"].files > KILLS


def raw_rows(connection: Connection, table: str) -> Counter[str]:
    found = connection.execute(f"select source_position from raw.{table}".encode()).fetchall()
    return Counter(position for (position,) in found)


def lake_rows(lakehouse: Lakehouse, connection: Connection, table: str) -> Counter[str]:
    """Those of loads whose day was dropped are left out."""
    rows = load_table(lakehouse.catalog, table).scan(selected_fields=("source_position",))
    dropped = {
        f"{stream}/{number}"
        for stream, first, last in connection.execute(
            "select stream, lower(run), upper(run) - 1 from tidelake.loads "
            "inner join tidelake.loaded_records using (load_id), unnest(records) as runs (run) "
            "where table_name = %s and dropped_at is not null",
            (table,),
        ).fetchall()
        for number in range(first, last + 1)
    }
    found = Counter(rows.to_arrow().column("source_position").to_pylist())
    return Counter({position: n for position, n in found.items() if position not in dropped})
