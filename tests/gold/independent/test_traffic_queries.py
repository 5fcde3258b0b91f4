"""The independent queries of traffic, on lakes of a few rows, their answers reckoned by hand."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

from tests.gold.independent import queries
from tests.gold.independent.handmade import BERLIN, MONDAY, UTC, HandMade, rows


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
