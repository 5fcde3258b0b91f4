"""The lake's rows come to raw once each, whatever happens to loader, lake and files meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from tests.pipeline.lakes import Filling

from tidelake.pipeline.lakehouse import Lakehouse, opened
from tidelake.pipeline.load import loaders_of
from tidelake.pipeline.loader import Progress
from tidelake.settings import Settings
from tidelake.warehouse.raw import ledger
from tidelake.warehouse.session import Connection, connect


@dataclass
class Site:
    """A lake that a test fills, and a loader on it."""

    lakehouse: Lakehouse
    connection: Connection
    lake: Filling
    progress: Progress

    def load(self) -> None:
        """As a loader that was just started."""
        for loader in loaders_of(self.lakehouse, self.connection, self.progress):
            loader.turn()

    def positions(self, table: str = "events") -> list[str]:
        rows = self.connection.execute(
            f"select source_position from raw.{table} order by load_id, row_number".encode()
        )
        return [position for (position,) in rows.fetchall()]

    def numbers(self, table: str = "events") -> list[int]:
        return sorted(int(position.rpartition("/")[2]) for position in self.positions(table))

    def one(self, query: str) -> Any:
        row = self.connection.execute(query.encode()).fetchone()
        return None if row is None else row[0]


@pytest.fixture
def site(home_settings: Settings) -> Iterator[Site]:
    with (
        opened(home_settings, role="ingest") as lakehouse,
        connect(lakehouse.database_url) as connection,
    ):
        yield Site(lakehouse, connection, Filling(lakehouse.catalog), Progress())


def test_rows_of_both_tables_come_to_raw_as_they_are_in_the_lake(site: Site) -> None:
    site.lake.commit(1, 10, bad={3, 4})
    site.lake.commit(11, 20)

    site.load()

    assert site.numbers() == [1, 2, *range(5, 21)]
    assert site.numbers("rejected_events") == [3, 4]
    totals = ledger.totals(site.connection)
    assert (totals["events"].rows, totals["rejected_events"].rows) == (18, 2)
    assert totals["events"].watermark == site.lake.events.current_snapshot().sequence_number
    assert ledger.count_rows(site.connection) == ({"events": 18, "rejected_events": 2}, [])


def test_a_second_look_and_a_second_loader_add_nothing(site: Site) -> None:
    site.lake.commit(1, 10)
    site.load()
    site.load()
    site.lake.commit(11, 12)
    site.load()
    site.load()

    assert site.numbers() == list(range(1, 13))
    assert site.progress.loads == 2
