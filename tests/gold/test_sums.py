"""What gold adds up from the news of a window, and takes away again."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime

import pytest
from tests.gold.stand import DAY, Stand

SESSION = {"entry_page": "/", "exit_page": "/", "events": 1, "page_views": 1, "duration_s": 0.1}


def test_a_session_that_grew_is_counted_once_as_it_is_now(stand: Stand) -> None:
    grown = SESSION | {"exit_page": "/bag", "events": 5, "page_views": 2, "duration_s": 61.5}
    grown |= {"product_views": 1, "cart_updates": 1, "referrer_domain": "search.example"}
    stand.put("session_changes", 1, SESSION)
    stand.take(0, 1)
    stand.put("session_changes", 2, SESSION | {"sign": -1}, grown)
    stand.take(1, 2)
    sums = "sessions, bot_sessions, bounces, page_views, events, round(duration_s, 6), converted"
    assert stand.rows(f"select {sums} from sessions_by_day") == [(1, 0, 0, 2, 5, 61.5, 0)]
    assert stand.rows("select step, sessions from funnel order by step") == [(1, 1), (2, 1), (3, 1)]
    assert stand.rows("select referrer, sessions, bounces from acquisition") == [
        ("search.example", 1, 0)
    ]
    assert stand.rows("select page_path, entries, exits from top_pages order by all") == [
        ("/", 1, 0),
        ("/bag", 0, 1),
    ]


def test_a_row_of_which_all_was_taken_back_is_gone(stand: Stand) -> None:
    """Fractions are added and taken away in another order: what is left of them is not zero."""
    seconds = (0.1, 0.2, 0.3)
    stand.put("session_changes", 1, *(SESSION | {"duration_s": s} for s in seconds))
    stand.take(0, 1)
    moved = [SESSION | {"duration_s": s, "sign": -1} for s in seconds[::-1]]
    stand.put("session_changes", 2, *moved[:2])
    stand.put("session_changes", 3, moved[2], SESSION | {"day": date(2026, 11, 23)})
    stand.take(1, 2)
    stand.take(2, 3)
    for table in ("sessions_by_day", "funnel", "acquisition", "top_pages"):
        assert set(stand.rows(f"select day from {table}")) == {date(2026, 11, 23)}, table


def test_what_is_added_and_taken_back_in_one_window_makes_no_row(stand: Stand) -> None:
    stand.put("session_changes", 1, SESSION, SESSION | {"sign": -1})
    stand.take(0, 2)
    assert stand.rows("from sessions_by_day") == stand.rows("from funnel") == []


def test_sessions_of_bots_are_counted_as_that_and_nowhere_else(stand: Stand) -> None:
    stand.put("session_changes", 1, SESSION | {"is_bot": True, "purchases": 1})
    stand.take(0, 1)
    sums = "sessions, bot_sessions, bounces, page_views, events, converted"
    assert stand.rows(f"select {sums} from sessions_by_day") == [(0, 1, 0, 0, 0, 0)]
    assert stand.rows("from funnel") == stand.rows("from acquisition") == []
    assert stand.rows("from top_pages") == []


def test_a_late_event_moves_a_visitor_to_an_earlier_first_day_country_and_week(
    stand: Stand,
) -> None:
    monday, before = date(2026, 11, 23), date(2026, 11, 16)
    was = {"visitor_key": "0" * 32, "cohort_week": monday, "week": monday, "first_day": DAY}
    sunday = date(2026, 11, 22)
    now = was | {"cohort_week": before, "first_day": sunday, "country": "FR"}
    stand.put("visitor_days", 1, {"visitor_key": "0" * 32})
    stand.put("visitor_week_changes", 1, was)
    stand.take(0, 1)
    assert stand.rows("from daily_traffic") == [(DAY, "shop", "DE", 0, 0, 1, 1, 0)]
    stand.put("visitor_days", 2, {"day": sunday, "country": "FR", "visitor_key": "0" * 32})
    stand.put("visitor_week_changes", 2, was | {"sign": -1}, now | {"week": before})
    stand.put("visitor_week_changes", 2, now | {"weeks_after": 1})
    stand.take(1, 2)
    assert stand.rows("from daily_traffic order by all") == [
        (sunday, "shop", "FR", 0, 0, 1, 1, 0),
        (DAY, "shop", "DE", 0, 0, 1, 0, 0),
    ]
    assert stand.rows("from retention order by all") == [
        ("shop", "FR", before, 0, 1),
        ("shop", "FR", before, 1, 1),
    ]


def test_currencies_are_kept_apart_and_refunds_stand_on_their_own_day(stand: Stand) -> None:
    euros = {"total": 119.0, "shipping": 5.0, "tax": 19.0, "discount": None, "items": 3}
    stand.put("orders", 1, euros, euros | {"currency": "unknown", "total": None})
    stand.put("refunds", 1, {"day": date(2026, 11, 25), "refunded": 19.5})
    stand.take(0, 1)
    assert stand.rows("from revenue_by_day order by all") == [
        (DAY, "shop", "DE", "EUR", 1, 119.0, 5.0, 19.0, 0.0, 3, 0, 0.0),
        (DAY, "shop", "DE", "unknown", 1, 0.0, 5.0, 19.0, 0.0, 3, 0, 0.0),
        (date(2026, 11, 25), "shop", "DE", "EUR", 0, 0.0, 0.0, 0.0, 0.0, 0, 1, 19.5),
    ]


def test_an_order_with_a_product_on_two_lines_is_one_order_of_it(stand: Stand) -> None:
    line = {"order_key": "1" * 32, "product_id": "p", "quantity": 2, "price": 4.0, "revenue": 8.0}
    stand.put("order_items", 1, line | {"line_number": 1}, line | {"line_number": 2})
    stand.put("order_items", 1, {"quantity": None, "product_id": "", "currency": ""})
    stand.take(0, 1)
    assert stand.rows(
        "select currency, product_id, product_name, category, quantity, revenue, orders"
        " from revenue_by_product order by all"
    ) == [
        ("EUR", "p", "unknown", "unknown", 4, 16.0, 1),
        ("unknown", "unknown", "unknown", "unknown", 0, 0.0, 1),
    ]


def test_time_on_a_page_is_that_of_its_views_and_every_event_counts_for_its_type(
    stand: Stand,
) -> None:
    stand.put("events", 1, {}, {}, {"event_type": "scroll"})
    stand.put("page_views", 1, {"page_path": "/a", "time_on_page": 1.5}, {"page_path": "/a"})
    stand.put("page_views", 1, {"page_path": None, "time_on_page": 9.0}, {"page_path": ""})
    figures = {"time_on_page": 1.5, "scroll_depth": 40.0, "interactions": 2}
    stand.put("engagement", 1, figures, {"time_on_page": 2.0, "event_type": "scroll"})
    stand.take(0, 1)
    assert stand.rows("select * exclude (day, project, country) from top_pages") == [
        ("/a", 2, 1.5, 1, 0, 0)
    ]
    assert stand.rows(
        "select * exclude (day, project, country) from engagement_by_type order by all"
    ) == [
        ("page_view", 2, 40.0, 1, 1.5, 1, 2, 0, 0, 0),
        ("scroll", 1, 0.0, 0, 2.0, 1, 0, 0, 0, 0),
    ]


def test_quality_is_counted_by_the_day_of_reception(stand: Stand) -> None:
    yesterday = date(2026, 11, 23)
    flags = ["wrong_type:order_total", "wrong_type:order_tax", "bot"]
    stand.put(
        "events", 1, {"day": yesterday, "quality_flags": flags, "is_bot": True, "is_late": True}
    )
    stand.put(
        "events",
        1,
        {"is_unknown_type": True, "event_name": "Zöô 'x'", "quality_flags": ["unknown_type"]},
    )
    stand.put("repeats", 1, {"repeats": 7})
    stand.put("rejected_events", 1, {}, {"records": 4, "reason": "damaged_frame"})
    stand.take(0, 1)
    assert stand.rows("select day, kind, name, records from data_quality order by kind, name") == [
        (DAY, "accepted", "", 2),
        (DAY, "bot", "", 1),
        (DAY, "flag", "bot", 1),
        (DAY, "flag", "unknown_type", 1),
        (DAY, "flag", "wrong_type", 1),
        (DAY, "late", "", 1),
        (DAY, "rejected", "damaged_frame", 4),
        (DAY, "rejected", "not_json", 1),
        (DAY, "repeat", "", 7),
        (DAY, "unknown_type", "", 1),
    ]
    assert stand.rows("from unknown_types") == [(DAY, "shop", "Zöô 'x'", 1)]


def test_percentiles_are_within_2_5_percent_of_the_sample_of_that_rank(stand: Stand) -> None:
    samples = [1.0 + 7.3 * n**1.7 for n in range(200)]
    stand.put(
        "web_performance", 1, *({"page_load_time": ms, "page_group": "/p"} for ms in samples[::2])
    )
    stand.put(
        "web_performance", 2, *({"page_load_time": ms, "page_group": "/p"} for ms in samples[1::2])
    )
    ignored = ({"page_load_time": -1.0}, {"page_load_time": 9e9, "is_bot": True})
    stand.put("web_performance", 2, {"dom_interactive": 0.0, "page_group": None}, *ignored)
    stand.take(0, 1)
    stand.take(1, 2)
    none, paths = stand.rows(
        "select columns(* exclude (day, project, country)) from web_performance order by all"
    )
    assert none[:3] == ("(none)", "dom_interactive", 1)
    assert paths[:3] == ("/p", "page_load_time", 200)
    for share, found in zip((0.5, 0.75, 0.95), paths[3:], strict=True):
        exact = sorted(samples)[math.ceil(share * len(samples)) - 1]
        assert found == pytest.approx(exact, rel=0.025)


@pytest.mark.parametrize(
    ("timezone", "moments", "hours"),
    [
        # The hour from 2 to 3 passes twice when summer time ends.
        (
            "Europe/Berlin",
            [(2026, 10, 25, 0, 30), (2026, 10, 25, 1, 30), (2026, 10, 25, 2, 30)],
            [2, 2, 3],
        ),
        ("Europe/Berlin", [(2026, 3, 29, 0, 30), (2026, 3, 29, 1, 30)], [1, 3]),
        # Half an hour beside everyone else.
        ("Asia/Kolkata", [(2026, 10, 25, 0, 29), (2026, 10, 25, 0, 31)], [5, 6]),
    ],
)
def test_hours_are_those_of_the_reporting_zone(
    stand: Stand, timezone: str, moments: list[tuple[int, ...]], hours: list[int]
) -> None:
    stand.timezone = timezone
    times = [datetime(*moment, tzinfo=UTC) for moment in moments]  # type: ignore[misc, arg-type]  # five numbers each
    stand.put("events", 1, *({"event_time": time} for time in times))
    stand.take(0, 1)
    found = stand.rows("select hour(hour), events from events_by_hour order by hour")
    assert found == [(hour, hours.count(hour)) for hour in sorted(set(hours))]
