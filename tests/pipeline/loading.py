"""A lake that a test fills, a loader on it, and raw as it then is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

from tests.pipeline.lakes import Filling

from tidelake.pipeline.lakehouse import Lakehouse, opened
from tidelake.pipeline.load import loaders_of
from tidelake.pipeline.loader import Progress
from tidelake.settings import Settings
from tidelake.warehouse.raw import ledger
from tidelake.warehouse.session import Connection, connect

TODAY = datetime(2026, 11, 24, 12, tzinfo=UTC)


@dataclass
class Loads:
    """One lakehouse, a connection as its loader has it, and the clock of the loader."""

    lakehouse: Lakehouse
    connection: Connection
    lake: Filling
    progress: Progress = field(default_factory=Progress)
    now: datetime = TODAY

    def load(self) -> None:
        """One look at each table, as a loader that was just started."""
        for loader in loaders_of(self.lakehouse, self.connection, self.progress):
            loader.clock = lambda: self.now
            loader.turn()

    def positions(self, table: str = "events") -> list[str]:
        """In the order of loading."""
        query = f"select source_position from raw.{table} order by load_id, row_number"
        return [position for (position,) in self.all(query)]

    def numbers(self, table: str = "events") -> list[int]:
        return sorted(int(position.rpartition("/")[2]) for position in self.positions(table))

    def all(self, query: str) -> list[tuple[Any, ...]]:
        return self.connection.execute(query.encode()).fetchall()

    def one(self, query: str) -> Any:
        return self.all(query)[0][0]

    def reasons(self) -> list[str]:
        """Why raw was compared with the lake, oldest first."""
        return [r for (r,) in self.all("select reason from tidelake.reconciliations order by id")]

    @property
    def events(self) -> ledger.Totals:
        return ledger.totals(self.connection)["events"]

    def balanced(self) -> bool:
        """Whether ledger, raw and lake hold as many rows, load by load."""
        counted, wrong = ledger.count_rows(self.connection)
        held = {name: t.rows for name, t in ledger.totals(self.connection).items()}
        lake = {
            "events": self.lake.events.scan().count(),
            "rejected_events": self.lake.rejects.scan().count(),
        }
        return wrong == [] and counted == held == lake


@contextmanager
def loads(settings: Settings) -> Iterator[Loads]:
    with (
        opened(settings, role="ingest") as lakehouse,
        connect(lakehouse.database_url) as connection,
    ):
        yield Loads(lakehouse, connection, Filling(lakehouse.catalog))


def path_of(location: str) -> Path:
    return Path(urlparse(location).path)
