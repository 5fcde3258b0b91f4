"""A day of gold holds a bounded number of names, and counts all that it was sent."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from itertools import pairwise
from random import Random
from typing import Any

import pytest
from tests.gold.stand import DAY, Stand

LOADS = 8
BOUND = 3
TABLES = {
    "top_pages": ("views, entries, exits, time_on_page_count", "page_path"),
    "searches": ("searches", "query"),
    "unknown_types": ("events", "event_name"),
    "engagement_by_type": ("events, downloads", "event_type"),
    "revenue_by_day": ("orders, items, refunds", "currency"),
    "revenue_by_product": ("orders, quantity", "(product_id, product_name, category)"),
    "acquisition": (
        "sessions, bounces, converted",
        "(referrer, campaign_source, campaign_medium, campaign_name)",
    ),
    "sessions_by_day": ("sessions, bot_sessions, page_views", "device_type"),
    "web_performance_bins": ("samples", "page_group"),
}


def session(chance: Random) -> dict[str, Any]:
    return {
        "day": date(2026, 11, chance.choice([23, 24])),
        "country": chance.choice(["DE", "FR"]),
        "entry_page": f"/{chance.randrange(8)}",
        "exit_page": f"/{chance.randrange(8)}",
        "referrer_domain": f"site-{chance.randrange(8)}",
        "campaign_source": chance.choice(["", "mail"]),
        "device_type": f"device {chance.randrange(6)}",
        "events": chance.randrange(1, 4),
        "page_views": chance.randrange(2),
        "is_bot": chance.random() < 0.2,
    }


def other_rows(chance: Random) -> Iterator[tuple[str, dict[str, Any]]]:
    where = {"country": chance.choice(["DE", "FR"]), "project": chance.choice(["shop", "blog"])}
    name = str(chance.randrange(8))
    yield "page_views", where | {"page_path": f"/{name}", "time_on_page": 1.5}
    yield "searches", where | {"query": name}
    yield "events", where | {"event_type": name, "event_name": name, "is_unknown_type": True}
    yield "engagement", where | {"event_type": name, "downloads": 1}
    yield "orders", where | {"currency": name, "items": 2, "total": 1.5}
    yield "order_items", where | {"currency": name[:1], "product_id": name, "quantity": 2}
    yield "web_performance", where | {"page_group": name, "page_load_time": 100.0}


@pytest.fixture
def sent(stand: Stand) -> Stand:
    """Loads of many names, and of sessions that are taken back by later loads."""
    chance = Random(11)
    open_sessions: list[dict[str, Any]] = []
    for load_id in range(1, LOADS + 1):
        for _ in range(6):
            for table, row in other_rows(chance):
                stand.put(table, load_id, row)
        for was in chance.sample(open_sessions, len(open_sessions) // 2):
            open_sessions.remove(was)
            stand.put("session_changes", load_id, was | {"sign": -1})
        begun = [session(chance) for _ in range(8)]
        open_sessions += begun
        stand.put("session_changes", load_id, *begun)
    return stand


def totals(stand: Stand) -> dict[str, list[Any]]:
    """What each table counts of a day, project and country, over all names."""
    return {
        table: stand.rows(
            f"select day, project, country, {_sums(measures)} from {table} "
            f"group by all having {_sums(measures, ' + ', '')} <> 0 order by all"
        )
        for table, (measures, _) in TABLES.items()
        if table != "unknown_types"
    } | {"unknown_types": stand.rows("select sum(events)::int from unknown_types")}


def _sums(measures: str, between: str = ", ", kind: str = "::int") -> str:
    return between.join(f"sum({one}){kind}" for one in measures.split(", "))


def most_names(stand: Stand, table: str) -> int:
    (most,) = stand.rows(
        f"select max(names) from (select count(distinct {TABLES[table][1]}) as names"
        f" from {table} group by day, project)"
    )
    return int(most)


def test_totals_are_those_without_a_bound_however_the_windows_are_cut(sent: Stand) -> None:
    sent.take(0, LOADS)
    unbounded = totals(sent)
    assert all(most_names(sent, table) > BOUND + 1 for table in TABLES)

    for ends in ((8,), (3, 4, 8)):
        sent.file.unlink()
        for start, end in pairwise((0, *ends)):
            sent.take(start, end, names_a_day=BOUND)
            assert all(most_names(sent, table) <= BOUND + 1 for table in TABLES)
        assert totals(sent) == unbounded
    assert sent.test("path:models/gold,test_type:generic") == []


def test_the_most_counted_names_of_a_window_get_the_room_that_is_left(stand: Stand) -> None:
    for number, query in enumerate("dcba"):
        stand.put("searches", 1, {"query": query}, times=1 + number % 2)
    stand.put("searches", 1, {"query": "b", "country": "FR"}, {"query": "x", "project": "blog"})
    stand.take(0, 1, names_a_day=3, only="gold_searches")
    found = stand.rows("select project, country, query, searches from searches order by all")
    assert found == [
        ("blog", "DE", "x", 1),
        ("shop", "DE", "(other)", 1),
        ("shop", "DE", "a", 2),
        ("shop", "DE", "b", 1),
        ("shop", "DE", "c", 2),
        ("shop", "FR", "b", 1),
    ]

    stand.put("searches", 2, {"query": "new"}, {"query": "a"}, {"query": "new", "day": "2026-11-1"})
    stand.take(1, 2, names_a_day=3, only="gold_searches")
    assert stand.rows("select day, query, searches from searches where query in ('a', 'new')") == [
        (DAY, "a", 3),
        (date(2026, 11, 1), "new", 1),
    ]


def test_a_day_that_folded_takes_names_again_only_when_all_of_that_was_taken_back(
    stand: Stand,
) -> None:
    def change(load_id: int, *signs: tuple[str, int]) -> dict[str, int]:
        rows = [{"referrer_domain": name, "sign": sign, "events": 1} for name, sign in signs]
        stand.put("session_changes", load_id, *rows)
        stand.take(load_id - 1, load_id, names_a_day=2, only="acquisition")
        return dict(stand.rows("select referrer, sessions from acquisition"))

    twice = [("a", 1), ("a", 1), ("b", 1), ("b", 1)]
    assert change(1, *twice, ("c", 1)) == {"a": 2, "b": 2, "(other)": 1}
    assert change(2, *((name, -1) for name, _ in twice), ("c", 1)) == {"(other)": 2}
    assert change(3, ("c", -1), ("d", 1)) == {"(other)": 2}
    assert change(4, ("d", -1), ("c", -1)) == {}
    assert change(5, ("c", 1)) == {"c": 1}


def test_nobody_closes_a_day_by_sending_the_name_of_the_others(stand: Stand) -> None:
    stand.put("searches", 1, {"query": "(other)"})
    stand.take(0, 1, names_a_day=2, only="gold_searches")
    stand.put("searches", 2, {"query": "shoes"})
    stand.take(1, 2, names_a_day=2, only="gold_searches")
    assert stand.rows("select query from searches order by all") == ['"(other)"', "shoes"]


def test_names_are_as_long_as_can_be_read(stand: Stand) -> None:
    longest = "/" + "ä" * 199
    stand.put("page_views", 1, {"page_path": f"{longest}?1"}, {"page_path": f"{longest}?2"})
    stand.put("session_changes", 1, {"entry_page": f"{longest}?3", "exit_page": longest})
    stand.take(0, 1, only="top_pages")
    assert stand.rows("select page_path, views, entries, exits from top_pages") == [
        (longest, 2, 1, 1)
    ]


def test_a_lower_bound_holds_for_what_comes_and_loses_nothing(stand: Stand) -> None:
    stand.put("searches", 1, {"query": "a"}, {"query": "b"}, {"query": "c"})
    stand.take(0, 1, names_a_day=3, only="gold_searches")
    stand.put("searches", 2, {"query": "a"}, {"query": "d"})
    stand.take(1, 2, names_a_day=1, only="gold_searches")
    assert stand.rows("select query, searches from searches order by all") == [
        ("(other)", 1),
        ("a", 2),
        ("b", 1),
        ("c", 1),
    ]
