"""A small lake made by the pipeline's own parts: inbox, process, Parquet, committer, PostgreSQL."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pyiceberg.table import Table
from tests.parsed_once import ParsedOnce
from typer.testing import CliRunner, Result

from tidelake import files
from tidelake.cli.app import app
from tidelake.event.contract import EVENTS
from tidelake.inbox import Inbox, LaneWriter, Records
from tidelake.lake.commit import Committed, Committer
from tidelake.lake.tables import load_table
from tidelake.lake.writer import Writer
from tidelake.pipeline.encode import Encoder
from tidelake.pipeline.lakehouse import Lakehouse, attach
from tidelake.pipeline.rules import rules_of
from tidelake.settings import Postgres, Settings
from tidelake.warehouse.databases import fresh_database

from . import layered as whole

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
NOON_US = int(NOON.timestamp() * 1_000_000)
HOUR_US = 3_600_000_000

TYPES = ("page_view", "product_view", "search", "purchase")


def event(number: int, timestamp: str = "2026-11-20T11:59:00Z", **members: object) -> bytes:
    """A native event as a client sends it."""
    record = {
        "event_id": f"e{number}",
        "event_type": TYPES[number % len(TYPES)],
        "user_id": f"user_{number % 7}",
        "timestamp": timestamp,
        "_doc": {"page": {"path": f"/p/{number % 5}"}, "order": {"total": float(number)}},
        **members,
    }
    return json.dumps(record).encode()


def shopper(number: int) -> bytes:
    """An event that has something for every table."""
    doc = {
        "page": {"path": f"/p/{number % 5}"},
        "order": {"id": f"o{number}", "total": number + 0.5, "currency": "EUR"},
        "search": {"query": f"shoes {number % 3}"},
        "engagement": {"scroll_depth": 50.0, "interactions": 3},
        "performance": {"page_load_time": 800.0 + number},
        "session_info": {"session_id": f"s{number % 9}", "referrer": "https://www.example.org/a"},
        "user_agent": {"device_type": "mobile"},
        "location": {"country": "DE"},
    }
    return event(500 + number, _doc=doc)


BAD = (
    b'{"event_id": "cut',
    b"\xff\x00 bytes of no text",
    event(900, timestamp="2019-01-01T00:00:00Z"),  # too early
    event(901, user_id=None),
)


@dataclass
class Lake:
    """A home with a lake, and what a test does with it."""

    settings: Settings
    lakehouse: Lakehouse
    sent: int = 0
    lane: LaneWriter = field(init=False)

    def __post_init__(self) -> None:
        self.lane = LaneWriter.claim(self.settings.home, files.open_disk())

    @property
    def stream(self) -> str:
        return self.lane.stream

    def accept(self, bodies: Sequence[bytes], received_at: int = NOON_US) -> None:
        """Makes records durable in the inbox, as the collector does."""
        self.lane.append_and_wait(Records(bodies, b'{"project":"shop"}', received_at))

    def ingest(self) -> Committed | None:
        """Commits what is in the inbox, as the ingest part does."""
        catalog = self.lakehouse.catalog
        committer = Committer(catalog)
        position = committer.start_positions().get(self.stream, (0, 0))[0]
        inbox = Inbox(self.settings.home, files.open_disk())
        encoder = encoder_of(self.lakehouse)
        group = [encoder(take) for take in inbox.takes(self.stream, position)]
        if not group:
            return None
        done = committer.commit(group)
        inbox.release(self.stream, done.positions[self.stream])
        return done

    def fill(self, good: int = 200, bad: Sequence[bytes] = BAD, received_at: int = NOON_US) -> None:
        """Accepts and commits good events and, amid them, bad ones."""
        bodies = [event(self.sent + n) for n in range(good)]
        bodies[good // 2 : good // 2] = bad
        self.sent += good
        self.accept(bodies, received_at)
        self.ingest()

    @property
    def events(self) -> Table:
        return load_table(self.lakehouse.catalog, "events")

    @property
    def rejects(self) -> Table:
        return load_table(self.lakehouse.catalog, "rejected_events")


def encoder_of(lakehouse: Lakehouse) -> Encoder:
    tables = [load_table(lakehouse.catalog, name) for name in ("events", "rejected_events")]
    return Encoder(EVENTS, rules_of(lakehouse.settings), Writer.for_tables(*tables))


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> Settings:
    return Settings(home=tmp_path / "home", postgres=Postgres(url=database_url))


@pytest.fixture
def empty_lake(settings: Settings) -> Iterator[Lake]:
    settings.home.mkdir()
    lake = Lake(settings, attach(settings, settings.postgres.url))
    yield lake
    lake.lane.close()
    lake.lakehouse.catalog.close()


@pytest.fixture
def lake(empty_lake: Lake) -> Lake:
    """Two commits: 300 events and four rejects of four reasons."""
    empty_lake.fill(200)
    empty_lake.fill(100, bad=())
    return empty_lake


Run = Callable[..., Result]


@pytest.fixture
def run(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command as a user types it, on the home of `settings`."""
    monkeypatch.setenv("TIDELAKE_HOME", str(settings.home))
    monkeypatch.setenv("TIDELAKE_POSTGRES_URL", settings.postgres.url)
    runner = CliRunner()

    def invoke(*arguments: str, stdin: str | None = None) -> Result:
        return runner.invoke(app, arguments, input=stdin, catch_exceptions=False)

    return invoke


@pytest.fixture
def make_event() -> Callable[..., bytes]:
    return event


@pytest.fixture(scope="session")
def layered(postgres_server: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """240 distinct events, five of them twice, and four rejects, in every layer."""
    url = fresh_database(postgres_server.admin_url, "layered", postgres_server.url)
    settings = Settings(
        home=tmp_path_factory.mktemp("layered") / "home", postgres=Postgres(url=url)
    )
    with pytest.MonkeyPatch.context() as patch:
        for module in ("transformer", "recount_gold"):
            patch.setattr(f"tidelake.pipeline.{module}.DbtTarget", ParsedOnce)
        yield from whole.build(settings, Lake, lambda count: [shopper(n) for n in range(count)])


@pytest.fixture
def run_layered(layered: Any, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command as a user types it, on the home of `layered`."""
    monkeypatch.setenv("TIDELAKE_HOME", str(layered.settings.home))
    monkeypatch.setenv("TIDELAKE_POSTGRES_URL", layered.url)
    runner = CliRunner()

    def invoke(*arguments: str) -> Result:
        return runner.invoke(app, arguments, catch_exceptions=False)

    return invoke
