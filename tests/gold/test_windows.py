"""Gold is the same in many windows as in one, whatever is in them, and reads nothing but news."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
from tests.gold.stand import DAY, Stand
from tests.gold.test_tables import TABLES

from tidelake.transform.dbt import ModelError

LOADS = 4
MB = 1024 * 1024
WHOLE = ("daily_traffic", "data_quality")  # project and country are no names of ours to cut
PEOPLE = [f"{n:032x}" for n in range(5)]


def traffic(chance: Random, load_id: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """Rows of silver as they come, each with its table: few values, so that many meet."""
    where = {"country": chance.choice(["DE", "FR"]), "project": chance.choice(["shop", "blog"])}
    kind = chance.choice(["page_view", "purchase", "odd"])
    yield (
        "events",
        where
        | {
            "event_type": kind,
            "event_name": f"{kind} {chance.randrange(3)}",
            "is_bot": chance.random() < 0.2,
            "is_late": chance.random() < 0.2,
            "is_unknown_type": kind == "odd",
            "quality_flags": chance.sample(
                ["wrong_type:a", "wrong_type:b", "bot"], chance.randrange(3)
            ),
        },
    )
    yield (
        "engagement",
        where | {"event_type": kind, "time_on_page": chance.random(), "downloads": 1},
    )
    yield "page_views", where | {"page_path": chance.choice(["/", "/a"]), "time_on_page": 0.1}
    yield "searches", where | {"query": chance.choice(["shoes", "Schuhe"])}
    yield "orders", where | {"total": chance.random(), "items": 2}
    yield "refunds", where | {"refunded": chance.random()}
    yield "order_items", where | {"product_id": chance.choice("pq"), "quantity": 1, "revenue": 0.1}
    yield "web_performance", where | {"page_load_time": chance.random() * 1000}
    yield "repeats", {"project": where["project"], "repeats": 1}
    yield "rejected_events", {"project": where["project"]}
    yield "visitor_days", where | {"visitor_key": chance.choice(PEOPLE)}
    session = where | {
        "entry_page": "/",
        "exit_page": "/a",
        "events": chance.randrange(1, 4),
        "duration_s": chance.random() * 100,
        "product_views": chance.randrange(2),
        "cart_updates": chance.randrange(2),
        "is_bot": chance.random() < 0.2,
    }
    yield "session_changes", session
    if load_id > 1 and chance.random() < 0.5:
        yield "session_changes", session | {"sign": -1, "load_id": load_id}
        yield "visitor_week_changes", where | {"load_id": load_id, "sign": -1}
        yield "visitor_week_changes", where | {"load_id": load_id - 1}
    yield "visitor_week_changes", where | {"weeks_after": chance.randrange(2)}


@pytest.fixture
def sent(stand: Stand) -> Stand:
    chance = Random(5)
    for load_id in range(1, LOADS + 1):
        for _ in range(12):
            for table, row in traffic(chance, load_id):
                stand.put(table, load_id, row)
    return stand


def everything(stand: Stand) -> dict[str, list[Any]]:
    """All rows; sums of fractions to six digits, since they depend on the order of adding."""
    rounded = "select columns(c -> c not in ('as_of', 'from_load_id'))"
    return {
        table: [
            tuple(round(value, 6) if isinstance(value, float) else value for value in row)
            for row in stand.rows(f"{rounded} from {table} order by all")
        ]
        for table in TABLES
    }


def test_many_windows_are_one_window_and_no_promise_of_the_models_is_broken(sent: Stand) -> None:
    sent.take(0, LOADS)
    at_once = everything(sent)
    sent.file.unlink()
    for load_id in range(LOADS):
        sent.take(load_id, load_id + 1)
    assert everything(sent) == at_once


def test_a_table_is_made_anew_from_all_of_silver_and_no_other_is_touched(stand: Stand) -> None:
    stand.put("session_changes", 1, {"events": 1}, {"events": 2})
    stand.put("events", 1, {})
    stand.take(0, 1)
    stand.put("session_changes", 2, {"events": 1, "sign": -1})
    stand.put("events", 2, {})
    stand.take(1, 2)
    before = everything(stand)
    assert {one.name for one in stand.make_anew("funnel", 2)} == {"news_sessions", "funnel"}
    assert everything(stand) == before
    assert stand.rows("select sessions from funnel") == [1]


def test_a_window_reads_its_news_in_postgresql_and_nothing_else(stand: Stand) -> None:
    """A plan that reads a whole table is as good while the table is small: hence many rows."""
    tables = ("events", "session_changes", "page_views", "web_performance", "engagement")
    for table in tables:
        stand.put(table, 1, {}, times=3000)
        stand.put(table, 2, {}, times=10)
        stand.execute(f"analyze silver.{table}")
    stand.take(0, 1)
    before = reads(stand)
    stand.take(1, 2)
    after = reads(stand)
    assert {table: after[table] - before[table] for table in tables} == dict.fromkeys(tables, 10)


def reads(stand: Stand) -> dict[str, int]:
    """Rows that were read in each table of silver, by index or not."""
    rows = stand.execute(
        "select relname, seq_tup_read + coalesce(idx_tup_fetch, 0)"
        " from pg_stat_user_tables where schemaname = 'silver'"
    ).fetchall()
    return {str(name): int(count) for name, count in rows}


def test_hostile_text_is_text(stand: Stand) -> None:
    nasty = [
        "'; drop table x; --",
        "$pulled$",
        'a\nb\t"c" {{ 1 }} {% raw %}',
        "\u202e\U0001f600é",
        "/" + "x" * 60_000,
    ]
    for text in nasty:
        stand.put(
            "events",
            1,
            {"event_name": text, "is_unknown_type": True, "country": text, "project": text},
        )
        stand.put("page_views", 1, {"page_path": text})
        stand.put("searches", 1, {"query": text})
        stand.put("web_performance", 1, {"page_group": text, "page_load_time": 1.0})
    stand.take(0, 1)
    for table, column in (
        ("unknown_types", "event_name"),
        ("top_pages", "page_path"),
        ("searches", "query"),
        ("web_performance", "page_group"),
        ("daily_traffic", "country"),
        ("data_quality", "project"),
    ):
        names = {text[:200] for text in nasty} if table not in WHOLE else set(nasty)
        assert set(stand.rows(f"select {column} from {table}")) == names, table


def put_names(stand: Stand, load_id: int, names: int) -> None:
    """An event of each of so many names."""
    stand.execute(
        """
        insert into silver.events
        (load_id, event_time, day, received_day, project, country, event_type, event_name,
            is_bot, is_late, is_unknown_type, quality_flags)
        select %s, now(), %s, %s, 'shop', 'DE', 'name_' || n, 'Name ' || n,
            false, false, true, '{unknown_type}'
        from generate_series(1, %s) as n
        """,
        load_id,
        DAY,
        DAY,
        names,
    )


def test_a_hundred_thousand_event_names_of_a_day_are_as_many_rows_as_it_has_names(
    stand: Stand,
) -> None:
    for load_id in (1, 2):
        put_names(stand, load_id, 100_000)
    stand.take(0, 1)
    stand.take(1, 2)
    for table in ("unknown_types", "engagement_by_type"):
        assert stand.rows(f"select count(*), sum(events) from {table}") == [(2_001, 200_000)]


def test_gold_is_made_in_the_memory_that_it_is_given(stand: Stand) -> None:
    put_names(stand, 1, 100_000)
    with pytest.raises(ModelError, match=r"4\.0 MiB used"):
        stand.take(0, 1, memory_bytes=4 * MB)
    stand.file.unlink()
    stand.take(0, 1, memory_bytes=256 * MB)
