"""A lake whose events went all the way to a published gold, made once for all that look at it.

What a test changes in it by hand it puts back.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from tidelake.pipeline.lakehouse import Lakehouse, attach
from tidelake.pipeline.load import loaders_of
from tidelake.pipeline.loader import Progress
from tidelake.pipeline.stopping import Stop
from tidelake.pipeline.transformer import transformer
from tidelake.pipeline.warehouse import opened_warehouse
from tidelake.settings import Settings
from tidelake.warehouse.roles import open_login
from tidelake.warehouse.session import connect, open_connection


def load(lakehouse: Lakehouse) -> None:
    """Brings what is in the lake to raw, as the load part does."""
    url = open_login(lakehouse.owner_url or "", "ingest")
    with closing(open_connection(url)) as connection:
        for loader in loaders_of(lakehouse, connection, Progress()):
            loader.turn()


def transform(settings: Settings) -> None:
    """Brings what is in raw to silver and gold, as the transform part does."""
    with (
        opened_warehouse(settings, "transform") as warehouse,
        transformer(warehouse, Stop()) as ours,
    ):
        while ours.news():
            ours.cycle()


@dataclass
class Layered:
    """The home, and how to change something in it for a while."""

    settings: Settings
    lakehouse: Lakehouse
    lake: Any

    @property
    def url(self) -> str:
        return self.settings.postgres.url

    def ask(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with connect(self.url) as connection:
            cursor = connection.execute(query.encode(), values or None)
            return cursor.fetchall() if cursor.description else []

    def one(self, query: str, *values: object) -> Any:
        return self.ask(query, *values)[0][0]

    @contextmanager
    def without_one(self, table: str, where: str = "true") -> Iterator[None]:
        """A row less in a table of PostgreSQL."""
        with connect(self.url) as connection:
            connection.execute(
                "create temp table kept as " + f"select * from {table} limit 0".strip()
            )
            connection.execute(
                f"with gone as (delete from {table} where ctid = (select min(ctid) from {table} "
                f"where {where}) returning *) insert into kept select * from gone".encode()
            )
            assert connection.execute("select count(*) from kept").fetchone() == (1,)
            try:
                yield
            finally:
                connection.execute(f"insert into {table} select * from kept".encode())

    @contextmanager
    def with_gold(self, statement: str) -> Iterator[None]:
        """A statement done to the published gold by hand."""
        folder = self.settings.home / "gold"
        path = folder / (folder / "current").read_text().strip()
        before = path.read_bytes()
        with duckdb.connect(str(path)) as connection:
            connection.execute(statement)
        try:
            yield
        finally:
            path.write_bytes(before)

    @contextmanager
    def without_file(self, path: Path) -> Iterator[None]:
        """A file less on the disk."""
        kept = path.rename(path.with_name(f"{path.name}.kept"))
        try:
            yield
        finally:
            kept.rename(path)


def build(settings: Settings, lake_of: Any, events: Any) -> Iterator[Layered]:
    settings.home.mkdir()
    lakehouse = attach(settings, settings.postgres.url)
    lake = lake_of(settings, lakehouse)
    now = int(time.time() * 1e6)
    lake.fill(200, received_at=now)
    lake.accept([*events(40), *events(5)], received_at=now)  # five of them come again
    lake.ingest()
    load(lakehouse)
    transform(settings)
    yield Layered(settings, lakehouse, lake)
    lake.lane.close()
    lakehouse.catalog.close()
