"""The independent queries themselves, on lakes of a few rows, their answers reckoned by hand."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from tests.gold.independent import queries
from tests.gold.independent.handmade import HandMade, at

UTC, BERLIN = "UTC", "Europe/Berlin"
MONDAY = date(2026, 11, 2)


@pytest.fixture
def made() -> HandMade:
    return HandMade()


def rows(table: pa.Table) -> list[tuple[Any, ...]]:
    return sorted(tuple(row.values()) for row in table.to_pylist())


def test_an_event_counts_once_by_the_copy_that_arrived_first(
    made: HandMade, tmp_path: Path
) -> None:
    made.event("a", "2026-11-02 10:00", user_id="u", location_country="DE")
    made.repeat("a", "2026-11-02 09:59", location_country="FR")  # received before the other
    made.event("b", "2026-11-02 11:00", user_id="u", location_country="DE")
    made.repeat("b", "2026-11-02 11:00:02", source_position="inbox/1/0/10", location_country="IT")
    made.repeat("b", "2026-11-02 11:00:02", source_position="inbox/1/0/2", location_country="ES")

    lake = made.lake(tmp_path)

    # b: its three copies were received together, 2 and 3 stand before 10.
    assert rows(queries.daily_traffic(lake, UTC)) == [
        (MONDAY, "default", "ES", 1, 1, 1, 0, 0),
        (MONDAY, "default", "FR", 1, 1, 1, 1, 0),
    ]
    assert rows(queries.data_quality(lake, UTC)) == [
        (MONDAY, "default", "accepted", "", 2),
        (MONDAY, "default", "repeat", "", 3),
    ]
    assert rows(queries.books(lake, UTC)) == [
        ("gold", "events", 2),
        ("gold", "repeats", 3),
        ("raw", "events", 5),
        ("raw", "rejected events", 0),
        ("silver", "new events and repeats", 5),
        ("silver", "rejected events", 0),
        ("silver", "rows of events", 5),
    ]


def test_days_and_hours_are_those_of_the_zone_on_the_night_the_clocks_go_back(
    made: HandMade, tmp_path: Path
) -> None:
    made.event("a", "2026-10-24 21:59:59", user_id="u")  # 23:59:59 in Berlin
    made.event("b", "2026-10-24 22:00", user_id="u")  # midnight
    made.event("c", "2026-10-25 00:30", user_id="u")  # 02:30, summer time
    made.event("d", "2026-10-25 01:30", user_id="v")  # 02:30 again, winter time
    made.event("e", "2026-10-25 22:59:59", user_id="v")  # 23:59:59
    made.event("f", "2026-10-25 23:00", user_id="v")  # midnight: that day had 25 hours
    lake = made.lake(tmp_path)

    saturday, sunday, monday = date(2026, 10, 24), date(2026, 10, 25), date(2026, 10, 26)
    assert rows(queries.events_by_hour(lake, BERLIN)) == [
        (datetime(2026, 10, 24, 23), "default", "unknown", 1),
        (datetime(2026, 10, 25, 0), "default", "unknown", 1),
        (datetime(2026, 10, 25, 2), "default", "unknown", 2),
        (datetime(2026, 10, 25, 23), "default", "unknown", 1),
        (datetime(2026, 10, 26, 0), "default", "unknown", 1),
    ]
    assert rows(queries.daily_traffic(lake, BERLIN)) == [
        (saturday, "default", "unknown", 1, 1, 1, 1, 0),
        (sunday, "default", "unknown", 4, 4, 2, 1, 0),
        (monday, "default", "unknown", 1, 1, 1, 0, 0),
    ]
    assert rows(queries.daily_traffic(lake, UTC)) == [
        (saturday, "default", "unknown", 2, 2, 1, 1, 0),
        (sunday, "default", "unknown", 4, 4, 2, 1, 0),
    ]
    # The week of the 26th begins for Berlin an hour before it does for UTC.
    assert rows(queries.retention(lake, BERLIN)) == [
        ("default", "unknown", date(2026, 10, 19), 0, 2),
        ("default", "unknown", date(2026, 10, 19), 1, 1),
    ]
    assert rows(queries.retention(lake, UTC)) == [
        ("default", "unknown", date(2026, 10, 19), 0, 2),
    ]


def test_bots_and_events_of_nobody_are_events_but_no_visitors(
    made: HandMade, tmp_path: Path
) -> None:
    shop = {"project": "shop", "location_country": "DE"}
    made.event("a", "2026-11-02 10:00", user_id="u", anonymous_id="x", **shop)
    made.event("b", "2026-11-02 10:01", anonymous_id="x", **shop)  # not the same as u
    made.event("c", "2026-11-02 10:02", "click", user_id="x", **shop)  # nor as the anonymous x
    made.event("d", "2026-11-02 10:03", "screen_view", user_id="w", quality_flags=["bot"], **shop)
    made.event("e", "2026-11-02 10:04", user_id="w", user_agent_device_type="bot", **shop)
    made.event("f", "2026-11-02 10:05", "row_insert", format="cdc", **shop)
    made.event("g", "2026-11-03 10:00", "click", user_id="w", **shop)  # a bot before, not now
    made.event("h", "2026-11-03 10:00", "click", user_id="u", location_country="")

    lake = made.lake(tmp_path)

    tuesday = date(2026, 11, 3)
    assert rows(queries.daily_traffic(lake, UTC)) == [
        (MONDAY, "shop", "DE", 6, 4, 3, 3, 2),
        (tuesday, "default", "unknown", 1, 0, 1, 1, 0),  # u of another project
        (tuesday, "shop", "DE", 1, 0, 1, 1, 0),
    ]


def test_a_visitor_is_new_where_its_first_event_happened_whenever_that_came(
    made: HandMade, tmp_path: Path
) -> None:
    made.event("a", "2026-11-10 10:00", user_id="u", location_country="DE")
    made.event("b", "2026-11-17 10:00", user_id="u", location_country="DE")
    made.event("c", "2026-11-18 10:00", user_id="u", location_country="DE")
    made.event("d", "2026-11-08 23:59", user_id="u", location_country="FR")  # comes last
    made.event("e", "2026-11-01 10:00", user_id="u", user_agent_device_type="bot")
    # Two first events at the same time: the smaller key is the first.
    key = bytes([255] * 15)
    made.event("g", "2026-11-09 10:00", user_id="v", event_key=key + b"\x02", location_country="FR")
    made.event("f", "2026-11-09 10:00", user_id="v", event_key=key + b"\x01", location_country="DE")
    lake = made.lake(tmp_path)

    new = [(row[0], row[2], row[6]) for row in rows(queries.daily_traffic(lake, UTC)) if row[6]]
    assert new == [
        (date(2026, 11, 8), "FR", 1),
        (date(2026, 11, 9), "DE", 1),
    ]
    assert [row for row in rows(queries.retention(lake, UTC)) if row[2] == MONDAY] == [
        ("default", "FR", MONDAY, 0, 1),
        ("default", "FR", MONDAY, 1, 1),
        ("default", "FR", MONDAY, 2, 1),
    ]


def test_thirty_minutes_of_silence_end_a_session_and_a_late_event_bridges_them(
    made: HandMade, tmp_path: Path
) -> None:
    made.event("a", "2026-11-02 10:00", user_id="u", page_path="/a")
    made.event("b", "2026-11-02 10:30", user_id="u", page_path="/b")  # thirty minutes: goes on
    made.event("c", "2026-11-02 11:00:00.000001", user_id="u", page_path="/c")  # a new one
    made.event("d", "2026-11-02 10:00", user_id="v", page_path="/a")
    made.event("e", "2026-11-02 10:40", user_id="v", page_path="/b")
    made.event("f", "2026-11-02 10:20", "click", user_id="v", received_at=at("2026-11-05 00:00"))
    # One with a session of its own ends no silence.
    made.event("g", "2026-11-02 10:00", user_id="w", page_path="/a")
    made.event("h", "2026-11-02 10:20", user_id="w", session_info_session_id="1")
    made.event("i", "2026-11-02 10:40", user_id="w", page_path="/b")
    made.event("j", "2026-11-02 10:00", "row_insert", format="cdc")  # nobody's: in no session
    lake = made.lake(tmp_path)

    # u: a b, c; v: d f e; w: g, h, i
    assert rows(queries.sessions_by_day(lake, UTC)) == [
        (MONDAY, "default", "unknown", "unknown", 6, 0, 4, 8, 9, 1800.0 + 2400.0, 0)
    ]
    assert [(r[3], r[7], r[8]) for r in rows(queries.top_pages(lake, UTC))] == [
        ("/a", 3, 1),
        ("/b", 1, 3),
        ("/c", 1, 1),
    ]


def test_a_session_of_the_client_is_one_per_project_and_stands_at_its_first_event(
    made: HandMade, tmp_path: Path
) -> None:
    one = {"session_info_session_id": "s", "project": "one"}
    made.event(
        "b",
        "2026-11-03 00:10",
        "product_view",
        user_id="u",
        location_country="FR",
        user_agent_device_type="mobile",
        page_path="/p/1",
        page_referrer="https://www.Shop.example:8443/",
        campaign_source="mail",
        **one,
    )
    made.event(  # the first, without a page: entry is the next one's
        "a",
        "2026-11-02 23:50",
        "click",
        anonymous_id="x",
        location_country="DE",
        user_agent_device_type="desktop",
        campaign_name="autumn",
        **one,
    )
    made.event("c", "2026-11-03 12:00", user_id="u", page_path="/end", **one)
    made.event("d", "2026-11-03 12:30", "purchase", user_id="u", campaign_medium="cpc", **one)
    made.event("e", "2026-11-02 23:50", user_id="u", **(one | {"project": "two"}))
    # An empty id names no session: two visitors, two sessions.
    made.event("f", "2026-11-02 23:51", "click", user_id="w", session_info_session_id="")
    made.event("g", "2026-11-02 23:51", "click", user_id="v", session_info_session_id="")
    lake = made.lake(tmp_path)

    tuesday = date(2026, 11, 3)
    assert rows(queries.sessions_by_day(lake, UTC)) == [
        (MONDAY, "default", "unknown", "unknown", 2, 0, 2, 0, 2, 0.0, 0),
        (MONDAY, "one", "DE", "desktop", 1, 0, 0, 1, 4, 45_600.0, 1),
        (MONDAY, "two", "unknown", "unknown", 1, 0, 1, 1, 1, 0.0, 0),
    ]
    assert rows(queries.acquisition(lake, UTC)) == [
        (MONDAY, "default", "unknown", "direct", "", "", "", 2, 2, 0),
        (MONDAY, "one", "DE", "shop.example", "", "", "autumn", 1, 0, 1),
        (MONDAY, "two", "unknown", "direct", "", "", "", 1, 1, 0),
    ]
    assert rows(queries.top_pages(lake, UTC)) == [
        (MONDAY, "one", "DE", "/end", 0, 0.0, 0, 0, 1),
        (MONDAY, "one", "DE", "/p/1", 0, 0.0, 0, 1, 0),
        (tuesday, "one", "unknown", "/end", 1, 0.0, 0, 0, 0),
    ]


def test_one_event_of_a_bot_makes_the_session_a_bots(made: HandMade, tmp_path: Path) -> None:
    bot = {"session_info_session_id": "s", "user_id": "u", "page_path": "/"}
    made.event("a", "2026-11-02 10:00", engagement_time_on_page=5.0, **bot)
    made.event("b", "2026-11-02 10:01", quality_flags=["bot"], engagement_time_on_page=0.5, **bot)
    made.event("c", "2026-11-02 10:00", "click", user_id="w", user_agent_device_type="bot")
    lake = made.lake(tmp_path)

    assert rows(queries.sessions_by_day(lake, UTC)) == [
        (MONDAY, "default", "unknown", "bot", 0, 1, 0, 0, 0, 0.0, 0),
        (MONDAY, "default", "unknown", "unknown", 0, 1, 0, 0, 0, 0.0, 0),
    ]
    assert rows(queries.acquisition(lake, UTC)) == rows(queries.funnel(lake, UTC)) == []
    # The page was viewed all the same.
    assert rows(queries.top_pages(lake, UTC)) == [
        (MONDAY, "default", "unknown", "/", 2, 5.5, 2, 0, 0)
    ]


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("https://www.google.com/search?q=a", "google.com"),
        ("HTTP://News.Example:8080", "news.example"),
        ("android-app://com.google.android.gm/", "com.google.android.gm"),
        ("https://me:secret@www.example.org/", "example.org"),
        ("https://example.org?a=https://www.other.example", "example.org"),
        ("www.Example.com", "www.example.com"),
        ("Newsletter", "newsletter"),
        ("file:///home/page.html", "file:///home/page.html"),
        ("", "direct"),
        (None, "direct"),
    ],
)
def test_a_referrer_is_its_host(
    made: HandMade, tmp_path: Path, sent: str | None, shown: str
) -> None:
    made.event("a", "2026-11-02 10:00", user_id="u", session_info_referrer=sent)

    assert [row[3] for row in rows(queries.acquisition(made.lake(tmp_path), UTC))] == [shown]


def test_a_referrer_on_the_site_itself_is_none(made: HandMade, tmp_path: Path) -> None:
    for minute, referrer in enumerate(
        ["https://www.shop.example/p/1", "https://news.example/a", "https://late.example/"]
    ):
        made.event(
            f"e{minute}",
            f"2026-11-02 10:0{minute}",
            user_id="u",
            page_url="https://shop.example/p/2",
            page_referrer=referrer,
        )
    made.event(
        "own",
        "2026-11-02 10:00",
        user_id="v",
        page_url="https://shop.example/",
        session_info_referrer="https://Shop.Example/cart",
    )

    found = [row[3] for row in rows(queries.acquisition(made.lake(tmp_path), UTC))]
    assert sorted(found) == ["direct", "news.example"]


def test_a_session_reached_the_steps_before_its_last_one(made: HandMade, tmp_path: Path) -> None:
    sessions = {
        "all": ["purchase", "product_view", "cart_update", "checkout_start"],  # in any order
        "no cart": ["product_view", "checkout_start", "purchase"],
        "only bought": ["purchase"],
        "only looked": ["page_view", "product_view", "product_view"],
    }
    for name, types in sessions.items():
        for number, kind in enumerate(types):
            about = {"user_id": name, "session_info_session_id": name}
            made.event(f"{name}{number}", f"2026-11-02 10:0{number}", kind, **about)
    lake = made.lake(tmp_path)

    where = (MONDAY, "default", "unknown")
    assert rows(queries.funnel(lake, UTC)) == [
        (*where, 1, "session", 4),
        (*where, 2, "product view", 4),
        (*where, 3, "cart", 3),
        (*where, 4, "checkout", 3),
        (*where, 5, "purchase", 3),
    ]


def line(product: str | None, price: float | None, quantity: int | None, name: str = "Cup") -> str:
    text, *numbers = (
        "null" if value is None else value
        for value in (product and f'"{product}"', price, quantity)
    )
    return (
        f'{{"product_id":{text},"sku":null,"name":"{name}","category":"Kitchen",'
        f'"price":{numbers[0]},"quantity":{numbers[1]}}}'
    )


def test_an_order_is_the_purchase_that_was_received_first_and_currencies_stay_apart(
    made: HandMade, tmp_path: Path
) -> None:
    euro: dict[str, Any] = {"user_id": "u", "location_country": "DE", "order_currency": "EUR"}
    made.event(
        "second",
        "2026-11-02 10:00",
        "purchase",
        order_id="1",
        order_total=99.0,
        received_at=at("2026-11-04 00:00"),
        items=f"[{line('cup', 99.0, 1)}]",
        **euro,
    )
    made.event(
        "first",
        "2026-11-02 10:01",
        "purchase",
        order_id="1",
        order_total=30.5,
        order_shipping=4.0,
        order_tax=5.0,
        order_discount=1.5,
        items=f"[{line('cup', 10.0, 4)},{line('cup', 8.0, 1)},{line(None, 3.0, None)}]",
        **euro,
    )
    made.event("no id", "2026-11-02 10:02", "purchase", order_total=1.0, **euro)
    made.event("nor here", "2026-11-02 10:03", "purchase", order_id="", order_total=2.0, **euro)
    made.event("not here", "2026-11-02 10:03", "purchase", order_id="", order_total=4.0, **euro)
    made.event("other project", "2026-11-02 10:04", "purchase", order_id="1", project="b", **euro)
    made.event(
        "no currency",
        "2026-11-02 10:05",
        "purchase",
        order_id="2",
        order_total=7.0,
        items="[]",
        **(euro | {"order_currency": None, "quality_flags": ["bot"]}),
    )
    made.event("back", "2026-11-03 10:00", "refund", order_id="1", order_total=30.5, **euro)
    made.event("again", "2026-11-03 10:01", "refund", order_id="1", **euro)
    made.event("no order", "2026-11-02 10:00", "cart_update", items=f"[{line('cup', 5.0, 5)}]")
    lake = made.lake(tmp_path)

    assert rows(queries.revenue_by_day(lake, UTC)) == [
        (MONDAY, "b", "DE", "EUR", 1, 0.0, 0.0, 0.0, 0.0, 0, 0, 0.0),
        (MONDAY, "default", "DE", "EUR", 4, 37.5, 4.0, 5.0, 1.5, 5, 0, 0.0),
        (MONDAY, "default", "DE", "unknown", 1, 7.0, 0.0, 0.0, 0.0, 0, 0, 0.0),
        (date(2026, 11, 3), "default", "DE", "EUR", 0, 0.0, 0.0, 0.0, 0.0, 0, 2, 30.5),
    ]
    where = (MONDAY, "default", "DE", "EUR")
    assert rows(queries.revenue_by_product(lake, UTC)) == [
        (*where, "cup", "Cup", "Kitchen", 5, 48.0, 1),
        (*where, "unknown", "Cup", "Kitchen", 0, 0.0, 1),
    ]


def test_samples_fall_into_bins_and_percentiles_are_samples(made: HandMade, tmp_path: Path) -> None:
    for number, ms in enumerate([0.0, 0.5, 1.0, 1.04, 1.06, 100.0, -1.0, None]):
        about: dict[str, Any] = {
            "page_path": "/p/cup/blue",
            "performance_page_load_time": ms,
            "user_id": "u",
        }
        made.event(f"a{number}", "2026-11-02 10:00", **about)
    other: dict[str, Any] = {"user_id": "u", "performance_network_latency": 20.0}
    made.event("b", "2026-11-02 10:00", "click", **other)
    made.event("c", "2026-11-02 10:00", page_path="/", **other)
    made.event("d", "2026-11-02 10:00", page_path="p/cup", **other)
    made.event("e", "2026-11-02 10:00", page_path="/p", quality_flags=["bot"], **other)
    lake = made.lake(tmp_path)

    where = (MONDAY, "default", "unknown")
    # ln(20) / ln(1.05) = 61.4, ln(100) / ln(1.05) = 94.4
    assert rows(queries.web_performance_bins(lake, UTC)) == [
        (*where, "(none)", "network_latency", 61, 1),
        (*where, "/", "network_latency", 61, 1),
        (*where, "/p", "page_load_time", 0, 4),
        (*where, "/p", "page_load_time", 1, 1),
        (*where, "/p", "page_load_time", 94, 1),
        (*where, "p/cup", "network_latency", 61, 1),
    ]
    # 1, 1, 1, 1.04, 1.06, 100: of six the third, the fifth and the sixth
    assert rows(queries.web_performance(lake, UTC))[2] == (
        *where, "/p", "page_load_time", 6, 1.0, 1.06, 100.0,
    )  # fmt: skip


def test_quality_is_counted_on_the_day_of_reception(made: HandMade, tmp_path: Path) -> None:
    made.event("a", "2026-11-02 22:00", user_id="u", received_at=at("2026-11-02 23:00"))
    made.event("b", "2026-11-02 21:59:59", user_id="u", received_at=at("2026-11-02 23:00"))
    made.repeat("b", "2026-11-03 23:00")
    made.event(
        "c",
        "2026-11-02 10:00",
        "ufo_seen",
        event_name="UFO seen",
        user_id="u",
        project="b",
        quality_flags=["bot", "unknown_type", "wrong_type:items", "wrong_type:order_total"],
    )
    made.event("d", "2026-11-02 10:00", user_id="u", user_agent_device_type="bot", project="b")
    made.reject("2026-11-02 10:00", "not_json")
    made.reject("2026-11-02 10:00", "damaged_frame", records=12)
    made.reject("2026-11-02 10:00", "damaged_frame", records=3)
    made.reject("2026-11-02 23:00", "not_json", project="b")
    lake = made.lake(tmp_path)

    tuesday, wednesday = date(2026, 11, 3), date(2026, 11, 4)
    assert rows(queries.data_quality(lake, BERLIN)) == [
        (MONDAY, "b", "accepted", "", 2),
        (MONDAY, "b", "bot", "", 2),
        (MONDAY, "b", "flag", "bot", 1),
        (MONDAY, "b", "flag", "unknown_type", 1),
        (MONDAY, "b", "flag", "wrong_type", 1),
        (MONDAY, "b", "unknown_type", "", 1),
        (MONDAY, "default", "rejected", "damaged_frame", 15),
        (MONDAY, "default", "rejected", "not_json", 1),
        (tuesday, "b", "rejected", "not_json", 1),
        (tuesday, "default", "accepted", "", 2),
        (tuesday, "default", "late", "", 1),
        (wednesday, "default", "repeat", "", 1),
    ]
    assert rows(queries.unknown_types(lake, UTC)) == [(MONDAY, "b", "UFO seen", 1)]
    assert rows(queries.pipeline_health(lake, UTC)) == [
        ("events", 5),
        ("records of both", 5 + 17),
        ("rejected_events", 4),
    ]


def test_engagement_and_searches_are_added_up_where_they_were_sent(
    made: HandMade, tmp_path: Path
) -> None:
    about: dict[str, Any] = {"user_id": "u"}
    made.event(
        "a",
        "2026-11-02 10:00",
        engagement_scroll_depth=50.0,
        engagement_time_on_page=1.5,
        engagement_interactions=2,
        engagement_downloads=1,
        **about,
    )
    made.event("b", "2026-11-02 10:00", engagement_scroll_depth=25.0, **about)
    made.event("c", "2026-11-02 10:00", engagement_video_views=3, **about)
    made.event("d", "2026-11-02 10:00", "search", search_query="Tea cup", **about)
    made.event("e", "2026-11-02 10:00", "search", search_query="Tea cup", **about)
    made.event("f", "2026-11-02 10:00", "search", search_query="tea cup", **about)
    made.event("g", "2026-11-02 10:00", "search", search_query="", **about)
    made.event("h", "2026-11-02 10:00", "click", search_query="tea cup", **about)
    lake = made.lake(tmp_path)

    where = (MONDAY, "default", "unknown")
    assert rows(queries.engagement_by_type(lake, UTC)) == [
        (*where, "click", 1, 0.0, 0, 0.0, 0, 0, 0, 0, 0),
        (*where, "page_view", 3, 75.0, 2, 1.5, 1, 2, 0, 3, 1),
        (*where, "search", 4, 0.0, 0, 0.0, 0, 0, 0, 0, 0),
    ]
    assert rows(queries.searches(lake, UTC)) == [
        (*where, "Tea cup", 2),
        (*where, "tea cup", 1),
    ]
