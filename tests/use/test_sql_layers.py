"""`tidelake sql` reaches every layer that is there, and says what to run for one that is not."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tidelake.cli import sql_prompt
from tidelake.errors import UnavailableError, UsageError
from tidelake.pipeline.query import queries

from .stand_ins import fill_warehouse, publish

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.fixture
def layers(lake: Any) -> Any:
    fill_warehouse(lake.settings.postgres.url)
    publish(lake.settings.home, 1, NOW - timedelta(minutes=10), events=200)
    publish(lake.settings.home, 2, NOW)
    return lake


def answer(run: Any, *arguments: str) -> str:
    return str(run("sql", *arguments, "--format", "csv").stdout)


def test_one_query_joins_all_four_layers(layers: Any, run: Any) -> None:
    query = """
    select
        (select count(*) from lake.events) as lake, (select count(*) from raw.events) as raw,
        (select count(*) from silver.events) as silver,
        (select sum(events)::int from gold.daily_traffic) as gold
    """
    assert answer(run, query) == "lake,raw,silver,gold\n300,300,300,300\n"


def test_a_bare_name_is_the_lakes_first_and_that_of_the_layer_where_one_is_given(
    layers: Any, run: Any
) -> None:
    assert "_doc" in answer(run, "describe events")
    assert answer(run, "select count(*) as n from sessions") == "n\n5\n"
    assert "order_total" not in answer(run, "describe events", "--layer", "silver")
    assert answer(run, "--layer", "gold", "select sum(events)::int as n from daily_traffic") == (
        "n\n300\n"
    )
    with pytest.raises(UsageError, match="sessions does not exist"):
        run("sql", "from sessions", "--layer", "lake")


@pytest.mark.parametrize(
    ("query", "layer", "said"),
    [
        ("from gold.daily_traffic", "all", "no gold is published yet"),
        ("from silver.sessions", "all", "the silver layer is not there yet"),
        ("from raw.no_such", "all", "the raw layer is not there yet"),
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


def test_filters_on_postgres_tables_are_pushed_down(layers: Any) -> None:
    with queries(layers.lakehouse, "", NOW) as asked:
        (plan,) = asked.answer("explain select event_id from raw.events where load_id = 2", 1).rows
        reads = "from raw.events where load_id = 2 and event_id = 'e150'"
        assert len(asked.answer(reads, 10).rows) == 1

    assert "load_id=2" in plan[1]


def test_partitions_are_not_listed_beside_their_table(layers: Any) -> None:
    with queries(layers.lakehouse, "", NOW) as asked:
        names = [shape.name for shape in asked.tables()]

    assert names == [
        "lake.events",
        "lake.rejected_events",
        "lake.replayed",
        "silver.events",
        "silver.sessions",
        "gold.daily_traffic",
        "gold.publication",
        "raw.events",
    ]


@pytest.mark.parametrize(
    "query",
    [
        "select * from postgres_execute('warehouse', 'create table raw.x (a int)')",
        "call postgres_execute('warehouse', 'create table raw.x (a int)')",
        "delete from raw.events",
        "insert into gold.daily_traffic select * from gold.daily_traffic",
    ],
)
def test_no_layer_can_be_written(layers: Any, run: Any, query: str) -> None:
    with pytest.raises(UsageError, match="is not a query"):
        run("sql", query)


def test_a_query_handed_to_postgres_is_that_of_a_login_with_few_rights(
    layers: Any, run: Any
) -> None:
    counted = (
        "select * from postgres_query('warehouse', 'select count(*) as n from silver.sessions')"
    )
    assert answer(run, counted) == "n\n5\n"

    clear = "select * from postgres_query('warehouse', 'select count(*) as n from raw.events')"
    with pytest.raises(UsageError, match="permission denied for schema raw"):
        run("sql", clear)


def test_personal_tables_are_read_only_where_they_are_asked_for(layers: Any, run: Any) -> None:
    query = "select count(*) as n from silver_pii.users"

    with pytest.raises(UsageError, match="silver_pii"):
        run("sql", query)
    assert answer(run, query, "--pii") == "n\n1\n"


def test_gold_is_read_as_of_a_time_and_a_version(layers: Any, run: Any) -> None:
    gold = "select events from gold.daily_traffic"

    assert answer(run, gold, "--as-of", (NOW - timedelta(minutes=5)).isoformat()) == "events\n200\n"
    assert answer(run, gold, "--as-of", "v1") == "events\n200\n"
    with pytest.raises(UsageError, match="gold version 7 is not kept, 1 to 2 are"):
        run("sql", gold, "--as-of", "v7")
    with pytest.raises(UsageError, match=r"no gold of 2026-11-2.* is kept"):
        run("sql", gold, "--as-of", (NOW - timedelta(minutes=15)).isoformat())
    with pytest.raises(UsageError, match="the silver layer is kept as it is now only"):
        run("sql", "from silver.sessions", "--as-of", "v2")


def test_gold_that_is_gone_or_damaged_is_told_and_the_lake_answers(layers: Any, run: Any) -> None:
    file = layers.settings.home / "gold" / "gold-00000002.duckdb"
    file.write_bytes(b"no database")

    assert answer(run, "select count(*) as n from events") == "n\n300\n"
    with pytest.raises(UnavailableError, match="the published gold can not be read: gold-0000000"):
        run("sql", "from gold.daily_traffic")


def test_backslash_d_lists_all_layers_and_one_table(layers: Any, run: Any) -> None:
    listed = run("sql", r"\d").stdout
    assert "silver.sessions" in listed
    assert "gold.daily_traffic" in listed
    assert "session_key" in listed
    assert run("sql", r"\d silver.sessions").stdout.splitlines()[:3] == [
        "silver.sessions",
        "column       type",
        "session_key  UUID",
    ]
    assert r"\d lists them all" in run("sql", r"\d nothing").stdout


def test_the_prompt_answers_until_it_is_ended_and_survives_errors(
    layers: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    typed = iter(["select count(*)", "from events;", "from nowhere;", r"\d raw.events", r"\q"])
    monkeypatch.setattr("builtins.input", lambda _: next(typed))
    with queries(layers.lakehouse, "", NOW) as asked:
        sql_prompt.prompt(asked, "all", None)

    said = capsys.readouterr()
    assert "300" in said.out
    assert "row_number" in said.out
    assert "nowhere does not exist" in said.err


def test_an_answer_names_no_password(layers: Any, run: Any) -> None:
    shown = json.dumps(json.loads(run("sql", "from duckdb_views()", "--format", "json").stdout))
    assert layers.settings.postgres.url.split(":")[2].split("@")[0] not in shown
