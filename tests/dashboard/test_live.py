"""What the pages know of a running pipeline, from a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tidelake import settings
from tidelake.errors import UnavailableError
from tidelake.event.contract import EVENTS, REJECTED
from tidelake.observe import heartbeat
from tidelake.pipeline.live_facts import Facts
from tidelake.warehouse.masked import ensure_masked_raw
from tidelake.warehouse.migrate import migrate
from tidelake.warehouse.raw.tables import ensure_raw
from tidelake.warehouse.session import connect

NOW = datetime.now(UTC).replace(microsecond=0)
STREAM = "inbox/0b7c1f0e-0000-4000-8000-000000000000/3"

FILL = f"""
insert into tidelake.loads (load_id, table_name, file_path, sequence_number, rows, load_day,
    loaded_at)
values
    (1, 'events', 'file:///lake/e-1.parquet', 7, 1, current_date, %(now)s + interval '2 seconds'),
    (2, 'events', 'file:///lake/e-2.parquet', 8, 1, current_date, %(now)s + interval '4 seconds');
insert into tidelake.commits (commit_id, table_name, snapshot_id, sequence_number, operation,
    committed_at, records, files, bytes, positions)
values (gen_random_uuid(), 'events', 1, 7, 'append', %(now)s + interval '1 second', 40, 1, 100,
    '{{"{STREAM}": [1, 40]}}');
insert into tidelake.windows (to_load_id, from_load_id, timezone, status, started_at, finished_at)
values (1, 0, 'UTC', 'done', %(now)s, %(now)s + interval '5 seconds');
insert into tidelake.publications (version, to_load_id, generation, published_at, events, bytes,
    file)
values (4, 1, 1, %(now)s + interval '6 seconds', 1, 1, 'gold-00000004.duckdb');
"""
EVENT = """
insert into raw.events (load_id, row_number, load_day, event_key, event_id, event_type, event_name,
    event_time, event_day, received_at, user_id, source, source_position, format, quality_flags,
    page_path, project)
values (%(load)s, 1, current_date, '\\x00', 'e', 'page_view', 'Page Viewed', %(now)s, current_date,
    %(now)s, 'a person', 'api', %(position)s, 'native', '{bot}', '/<b>', %(project)s)
"""


@pytest.fixture
def url(database_url: str) -> str:
    """A migrated database with two loads, one of which has come into gold."""
    migrate(database_url)
    with connect(database_url) as connection:
        for contract in (EVENTS, REJECTED):
            ensure_raw(connection, contract)
        ensure_masked_raw(connection)
        connection.execute(
            "create table raw.events_today partition of raw.events for values"
            f" from ('{NOW.date() - timedelta(days=1)}') to ('{NOW.date() + timedelta(days=2)}')"
        )
        connection.execute(FILL.encode() % {b"now": f"'{NOW}'::timestamptz".encode()})
        for load, position, project in ((1, 40, "shop"), (2, 41, None)):
            given = {
                "load": load,
                "position": f"{STREAM}/{position}",
                "project": project,
                "now": NOW,
            }
            connection.execute(EVENT.encode(), given)
    return database_url


@pytest.fixture
def facts(url: str, tmp_path: Path) -> Iterator[Facts]:
    found = Facts(settings.load({"TIDELAKE_POSTGRES_URL": url}, home=tmp_path))
    yield found
    found.close()


def test_a_record_has_its_way_from_the_client_to_gold(facts: Facts) -> None:
    newest, oldest = facts.last_records(10, rejected=False, project="")

    assert [(s.name, s.where, s.at and s.at - NOW, s.done) for s in oldest.way] == [
        ("Acknowledged", "api", timedelta(0), True),
        ("Inbox", "lane 3 #40", None, True),
        ("Lake", "snapshot 7", timedelta(seconds=1), True),
        ("Raw", "load 1", timedelta(seconds=2), True),
        ("Silver", "window to 1", timedelta(seconds=5), True),
        ("Gold", "version 4", timedelta(seconds=6), True),
    ]
    assert [s.done for s in newest.way] == [True, True, True, True, False, False]
    assert oldest.title == "page_view"
    assert oldest.facts[:2] == ["sent as Page Viewed", "/<b>"]
    assert oldest.flags == ["bot"]


def test_no_personal_field_is_shown(facts: Facts) -> None:
    assert "a person" not in repr(facts.last_records(10, rejected=False, project=""))


def test_records_of_one_project_are_found(facts: Facts) -> None:
    found = facts.last_records(10, rejected=False, project="shop")

    assert [record.project for record in found] == ["shop"]


def test_news_are_the_loads_that_gold_does_not_hold(facts: Facts) -> None:
    news = facts.news(1)

    assert (news.waiting_loads, news.waiting_since) == (1, NOW + timedelta(seconds=4))
    assert facts.news(2).waiting_since is None


def test_a_failed_window_is_news_with_its_model_and_its_beginning(facts: Facts, url: str) -> None:
    with connect(url) as connection:
        connection.execute(
            "insert into tidelake.windows (to_load_id, from_load_id, timezone, status, started_at,"
            " failed_model, message) values (2, 1, 'UTC', 'failed', %s, 'silver.orders', 'why')",
            (NOW,),
        )

    news = facts.news(1)

    assert (news.failed_model, news.trouble, news.trouble_since) == ("silver.orders", "why", NOW)


def test_the_pipeline_shows_parts_layers_commits_and_tables(facts: Facts, tmp_path: Path) -> None:
    heartbeat.beat(tmp_path, "load", datetime.now(UTC).timestamp(), {"trouble": "slow disk"})

    found = facts.pipeline()

    assert found.trouble == ""
    assert [(part.name, part.state, part.trouble) for part in found.parts] == [
        ("load", "runs", "slow disk")
    ]
    layers = {layer.layer: layer for layer in found.layers}
    assert list(layers) == ["Inbox", "Lake", "Rejected", "Raw", "Silver", "Gold"]
    assert (layers["Silver"].waiting, layers["Gold"].waiting) == (1, 1)
    assert [(c.sequence_number, c.records) for c in found.commits] == [(7, 40)]
    assert ("raw", "events") in {(table.layer, table.table) for table in found.tables}


def test_while_postgresql_is_down_the_rest_is_shown_and_says_why(tmp_path: Path) -> None:
    heartbeat.beat(tmp_path, "collect", datetime.now(UTC).timestamp(), {})
    facts = Facts(settings.load({}, home=tmp_path))

    found = facts.pipeline()

    assert "PostgreSQL does not run" in found.trouble
    assert [part.name for part in found.parts] == ["collect"]
    assert facts.news(1).waiting_since is None
    with pytest.raises(UnavailableError, match="PostgreSQL does not run"):
        facts.last_records(1, rejected=False, project="")
