"""The independent queries of sessions, on lakes of a few rows, their answers reckoned by hand."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from tests.gold.independent import queries
from tests.gold.independent.handmade import MONDAY, UTC, HandMade, at, rows


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
