"""What users were promised at the least: rate, memory, compression, work on several cores.

Rates are of CPU-seconds, since others may use the machine; `make bench` measures them closely.
Figures are printed: `pytest -rP tests/bench`.
"""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from bench.corpus import spec
from bench.whole_path import InboxRun, from_inbox
from tidelake.lake.catalog import open_catalog
from tidelake.lake.entries import live_files
from tidelake.lake.positions import RAW_BYTES, counts
from tidelake.lake.tables import load_table
from tidelake.pipeline.generate import run
from tidelake.settings import Postgres, Settings
from tidelake.warehouse.databases import fresh_database
from tidelake.warehouse.server import EmbeddedPostgres

EVENTS = 20_000
LEAST_EVENTS_PER_S = 100
MOST_MB_PER_100_EVENTS = 50
LEAST_RATIO = 2

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def settings(
    postgres_server: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory
) -> Settings:
    url = fresh_database(postgres_server.admin_url, "floor", postgres_server.url)
    return Settings(home=tmp_path_factory.mktemp("home"), postgres=Postgres(url=url))


@pytest.fixture(scope="module")
def ingested(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> InboxRun:
    """Events in the inbox, brought to the lake by the ingest part on two workers."""
    path: Path = tmp_path_factory.mktemp("corpus") / "events.ndjson"
    run(spec(EVENTS), str(path))
    return from_inbox(settings, path.read_bytes().splitlines(), lambda: 0.0)


def test_more_than_a_hundred_events_a_second_reach_the_lake(ingested: InboxRun) -> None:
    rate = ingested.cost.events / ingested.cost.cpu_s
    print(f"{rate:,.0f} events a CPU-second, {ingested.cost.cpu_s_per_million:.1f} CPU-s a million")

    assert rate > LEAST_EVENTS_PER_S


def test_a_hundred_events_in_flight_take_less_than_50_mb(ingested: InboxRun) -> None:
    print(f"{ingested.memory_mb_per_100_events:.2f} MB for 100 events in flight")

    assert ingested.memory_mb_per_100_events < MOST_MB_PER_100_EVENTS


def test_two_workers_share_the_events(ingested: InboxRun) -> None:
    print(f"CPU-seconds by process: {ingested.worker_cpu_s}")

    assert len(ingested.worker_cpu_s) == 2
    assert all(used > 0 for used in ingested.worker_cpu_s.values())


def test_the_lake_takes_less_than_half_of_the_bytes_received(
    ingested: InboxRun, settings: Settings
) -> None:
    with closing(open_catalog("sql", settings.warehouse, settings.postgres.url)) as catalog:
        tables = [load_table(catalog, name) for name in ("events", "rejected_events")]
        stored = sum(file.size for table in tables for file in live_files(table))
        rows = sum(file.rows for table in tables for file in live_files(table))
        received = counts(tables[0].properties)[RAW_BYTES]
    print(f"{received / stored:.2f} bytes received for each stored")

    assert rows == ingested.cost.events
    assert received / stored > LEAST_RATIO
