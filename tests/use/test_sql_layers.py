"""`tidelake sql` reaches every layer that is there, and says what to run for one that is not."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from psycopg.conninfo import conninfo_to_dict

from tidelake.cli import sql_prompt
from tidelake.errors import UnavailableError, UsageError
from tidelake.pipeline.query import queries
from tidelake.warehouse.roles import login_url

from .stand_ins import publish

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
GOLD = "select events from gold.daily_traffic"


@pytest.fixture
def versions(lake: Any) -> Any:
    publish(lake.settings.home, 1, NOW - timedelta(minutes=10), events=200)
    publish(lake.settings.home, 2, NOW)
    return lake


def answer(run: Any, *arguments: str) -> str:
    return str(run("sql", *arguments, "--format", "csv").stdout)


def test_one_query_joins_all_four_layers(layered: Any, run_layered: Any) -> None:
    query = """
    select
        (select count(*) from lake.events) - (select count(*) from raw.events) as not_in_raw,
        (select count(*) from raw.events) - (select count(*) from silver.events) as repeats,
        (select sum(events)::int from gold.daily_traffic)
            - (select count(*) from silver.events) as not_in_gold
    """
    assert answer(run_layered, query) == "not_in_raw,repeats,not_in_gold\n0,5,0\n"


def test_a_bare_name_is_the_lakes_first_and_that_of_the_layer_where_one_is_given(
    layered: Any, run_layered: Any
) -> None:
    assert "_doc" in answer(run_layered, "describe events")
    assert answer(run_layered, "select count(*) > 0 as n from sessions") == "n\nTrue\n"
    assert "visitor_key" in answer(run_layered, "describe events", "--layer", "silver")
    traffic = "select sum(events) > 0 as n from daily_traffic"
    assert answer(run_layered, "--layer", "gold", traffic) == "n\nTrue\n"
    with pytest.raises(UsageError, match="sessions does not exist"):
        run_layered("sql", "from sessions", "--layer", "lake")


@pytest.mark.parametrize(
    ("query", "layer", "said"),
    [
        ("from gold.daily_traffic", "all", "no gold is published yet"),
        ("from silver.sessions", "all", "the silver layer is not there yet"),
        ("select 1", "silver", "the silver layer is not there yet"),
        ("select 1", "gold", "no gold is published yet"),
        ("from sessions", "all", "sessions does not exist"),
    ],
)
def test_a_layer_that_is_not_there_says_what_to_run(
    lake: Any, run: Any, query: str, layer: str, said: str
) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        run("sql", query, "--layer", layer)
    assert "tidelake" in caught.value.hint


def test_filters_on_postgres_tables_are_pushed_down(layered: Any) -> None:
    with queries(layered.lakehouse, "", NOW) as asked:
        plan = asked.answer("explain select event_id from raw.events where load_id = 2", 1).rows

    assert "load_id=2" in plan[0][1]


def test_each_table_is_listed_once_with_its_layer(layered: Any) -> None:
    with queries(layered.lakehouse, "", NOW) as asked:
        names = [shape.name for shape in asked.tables()]

    assert len(names) == len(set(names))
    for name in ("lake.events", "silver.sessions", "gold.daily_traffic", "raw.events"):
        assert name in names
    assert not [name for name in names if "2026" in name or "masking_key" in name]
    assert names.index("lake.events") < names.index("silver.events") < names.index("raw.events")


@pytest.mark.parametrize(
    "query",
    [
        "select * from postgres_execute('warehouse', 'create table raw.x (a int)')",
        "call postgres_execute('warehouse', 'create table raw.x (a int)')",
        "delete from raw.events",
        "insert into gold.daily_traffic select * from gold.daily_traffic",
    ],
)
def test_no_layer_can_be_written(layered: Any, run_layered: Any, query: str) -> None:
    with pytest.raises(UsageError, match="is not a query"):
        run_layered("sql", query)


def test_a_query_handed_to_postgres_is_that_of_a_login_with_few_rights(
    layered: Any, run_layered: Any
) -> None:
    masked = "select * from postgres_query('warehouse', 'select count(*) > 0 n from silver.events')"
    assert answer(run_layered, masked) == "n\nTrue\n"

    clear = "select * from postgres_query('warehouse', 'select count(*) as n from raw.events')"
    with pytest.raises(UsageError, match="permission denied for schema raw"):
        run_layered("sql", clear)


def test_personal_tables_are_read_only_where_they_are_asked_for(
    layered: Any, run_layered: Any
) -> None:
    query = "select count(*) > 0 as n from silver_pii.users where user_id like 'user_%'"

    with pytest.raises(UsageError, match="silver_pii"):
        run_layered("sql", query)
    assert answer(run_layered, query, "--pii") == "n\nTrue\n"


def test_gold_is_read_as_of_a_time_and_a_version(versions: Any, run: Any) -> None:
    between = (NOW - timedelta(minutes=5)).isoformat()

    assert answer(run, GOLD) == "events\n300\n"
    assert answer(run, GOLD, "--as-of", between) == "events\n200\n"
    assert answer(run, GOLD, "--as-of", "v1") == "events\n200\n"
    with pytest.raises(UsageError, match="gold version 7 is not kept, 1 to 2 are"):
        run("sql", GOLD, "--as-of", "v7")
    with pytest.raises(UsageError, match=r"no gold of 2026-11-2.* is kept"):
        run("sql", GOLD, "--as-of", (NOW - timedelta(minutes=15)).isoformat())
    with pytest.raises(UsageError, match="the silver layer is kept as it is now only"):
        run("sql", "from silver.sessions", "--as-of", "v2")


def test_gold_that_is_gone_or_damaged_is_told_and_the_lake_answers(versions: Any, run: Any) -> None:
    (versions.settings.home / "gold" / "gold-00000002.duckdb").write_bytes(b"no database")

    assert answer(run, "select count(*) as n from events") == "n\n300\n"
    with pytest.raises(UnavailableError, match="the published gold can not be read: gold-0000000"):
        run("sql", "from gold.daily_traffic")


def test_backslash_d_lists_all_layers_and_one_table(layered: Any, run_layered: Any) -> None:
    listed = run_layered("sql", r"\d").stdout
    for name in ("silver.sessions", "gold.daily_traffic", "session_key"):
        assert name in listed
    lines = run_layered("sql", r"\d silver.visitor_days").stdout.splitlines()
    assert [line.split() for line in lines[:3]] == [
        ["silver.visitor_days"],
        ["column", "type"],
        ["day", "DATE"],
    ]
    assert r"\d lists them all" in run_layered("sql", r"\d nothing").stdout


def test_the_prompt_answers_until_it_is_ended_and_survives_errors(
    layered: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    typed = iter(
        ["select count(*) + 1000", "from events;", "from nowhere;", r"\d raw.events", r"\q"]
    )
    monkeypatch.setattr("builtins.input", lambda _: next(typed))
    with queries(layered.lakehouse, "", NOW) as asked:
        sql_prompt.prompt(asked, "all", None)

    said = capsys.readouterr()
    assert "12" in said.out
    assert "row_number" in said.out
    assert "nowhere does not exist" in said.err


def test_no_query_can_read_the_passwords_of_the_logins(layered: Any, run_layered: Any) -> None:
    for source in ("duckdb_databases()", "duckdb_views()", "duckdb_secrets()"):
        shown = run_layered("sql", f"from {source}", "--format", "json").stdout
        for role in ("dashboard", "transform"):
            password = conninfo_to_dict(login_url(layered.url, role))["password"]
            assert json.loads(shown)
            assert str(password) not in shown
