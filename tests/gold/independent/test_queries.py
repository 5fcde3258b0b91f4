"""The independent queries of orders, timings, quality and engagement, reckoned by hand."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

from tests.gold.independent import queries
from tests.gold.independent.handmade import BERLIN, MONDAY, UTC, HandMade, at, rows


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
