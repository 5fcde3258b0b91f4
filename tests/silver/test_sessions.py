"""Sessions: the client's own, and those that silence makes; whatever arrives late."""

from __future__ import annotations

from typing import Any

import pytest
from tests.silver.stand import Script, Stand, event, moment, processed

SESSIONS = """
select
    to_char(started_at at time zone 'UTC', 'HH24:MI') || '-'
    || to_char(ended_at at time zone 'UTC', 'HH24:MI'),
    events, page_views, product_views, cart_updates, checkouts, purchases, entry_page, exit_page
from silver.sessions where project = %s order by started_at, events
"""

CHANGES = """
select load_id, sign, events from silver.session_changes
where project = %s order by load_id, sign, started_at
"""

OWN = {"session_info": {"session_id": "s1"}}


def view(id: str, clock: str, path: str | None = None, **members: Any) -> dict[str, Any]:
    page = {"page": {"path": path}} if path else {}
    return event(id, "page_view", clock, **{"user_id": "ada", **page, **members})


SENT: Script = {
    "silence": [
        [
            view("1", "10:00", "/"),
            view("2", "10:30", "/shoes"),  # exactly thirty minutes: no silence yet
            event("3", "product_view", "10:31", user_id="ada"),
            view("4", "11:02", "/cart"),
            view("5", "10:05", user_id="bob"),
        ]
    ],
    "bridge": [
        [view("1", "10:00", "/a"), view("2", "10:50", "/c")],
        [view("3", "10:25", "/b")],
    ],
    "earlier": [
        [view("1", "10:10", "/b")],
        [
            event(
                "2",
                "page_view",
                "10:00",
                user_id="ada",
                page={"path": "/a", "referrer": "https://www.Example.com/x?y"},
                location={"country": "DE"},
                campaign={"source": "news"},
            )
        ],
    ],
    "apart": [
        [view("1", "02:00"), view("2", "09:00"), view("3", "11:50")],
        [view("4", "09:10")],
    ],
    "long": [
        [view(clock, clock) for clock in ("06:00", "06:25", "06:50", "07:15", "07:40")],
        [view("late", "08:05")],
    ],
    "own": [
        [
            view("1", "08:00", "/", **OWN),
            event("2", "cart_update", "11:00", user_id="ada", **OWN),  # no silence ends it
            view(
                "3",
                "08:01",
                session_info={"session_id": "s2"},
                user_agent={"device_type": "bot"},
            ),
        ],
        [
            event("4", "checkout_start", "11:05", user_id="ada", **OWN),
            event("5", "purchase", "11:06", user_id="ada", **OWN),
        ],
    ],
    "shop": [[view("1", "10:00", **OWN)]],
    "blog": [[view("1", "10:00", **OWN)]],
    "nobody": [
        [
            processed(
                [
                    {
                        "specversion": "1.0",
                        "id": "1",
                        "source": "/s",
                        "type": "page_view",
                        "time": moment("10:00"),
                    }
                ],
                format="cloudevents",
                project="nobody",
            )
        ]
    ],
}


@pytest.fixture(scope="module")
def loads(silver: Stand) -> dict[str, list[int]]:
    return silver.play(SENT)


@pytest.fixture(autouse=True)
def played(loads: dict[str, list[int]]) -> None:
    """Every test stands on the whole script."""


def test_a_visitor_without_client_sessions_gets_one_until_more_than_half_an_hour_of_silence(
    silver: Stand,
) -> None:
    assert silver.rows(SESSIONS, "silence") == [
        ("10:00-10:31", 3, 2, 1, 0, 0, 0, "/", "/shoes"),
        ("10:05-10:05", 1, 1, 0, 0, 0, 0, None, None),
        ("11:02-11:02", 1, 1, 0, 0, 0, 0, "/cart", "/cart"),
    ]


def test_a_late_event_between_two_sessions_makes_them_one(
    silver: Stand, loads: dict[str, list[int]]
) -> None:
    first, late = loads["bridge"]
    assert silver.rows(SESSIONS, "bridge") == [("10:00-10:50", 3, 3, 0, 0, 0, 0, "/a", "/c")]
    assert silver.rows(CHANGES, "bridge") == [
        (end_of_window(silver, first), 1, 1),
        (end_of_window(silver, first), 1, 1),
        (end_of_window(silver, late), -1, 1),
        (end_of_window(silver, late), -1, 1),
        (end_of_window(silver, late), 1, 3),
    ]
    # A session is known by its first event, so that of the earlier one stayed.
    assert silver.rows(
        "select session_key in (select session_key from silver.session_changes where load_id = %s)"
        " from silver.sessions where project = 'bridge'",
        end_of_window(silver, first),
    ) == [True]


def test_a_late_event_before_a_session_becomes_its_start(silver: Stand) -> None:
    assert silver.rows(
        "select entry_page, exit_page, country, referrer_domain, campaign_source, duration_s,"
        " events from silver.sessions where project = 'earlier'"
    ) == [("/a", "/b", "DE", "example.com", "news", 600, 2)]


def test_a_session_of_another_time_of_the_same_visitor_is_left_alone(
    silver: Stand, loads: dict[str, list[int]]
) -> None:
    assert [(row[0], row[1]) for row in silver.rows(SESSIONS, "apart")] == [
        ("02:00-02:00", 1),
        ("09:00-09:10", 2),
        ("11:50-11:50", 1),
    ]
    late = end_of_window(silver, loads["apart"][1])
    assert silver.rows(CHANGES, "apart")[3:] == [(late, -1, 1), (late, 1, 2)]


def test_an_event_reaches_back_into_a_long_session_that_began_hours_before(silver: Stand) -> None:
    assert [(row[0], row[1]) for row in silver.rows(SESSIONS, "long")] == [("06:00-08:05", 6)]


def test_client_sessions_are_taken_as_they_are_and_grow_with_what_comes(silver: Stand) -> None:
    assert silver.rows(SESSIONS, "own") == [
        ("08:00-11:06", 4, 1, 0, 1, 1, 1, "/", "/"),
        ("08:01-08:01", 1, 1, 0, 0, 0, 0, None, None),
    ]
    assert silver.rows(
        "select is_bot, is_computed, referrer_domain, campaign_name from silver.sessions"
        " where project = 'own' order by started_at"
    ) == [(False, False, "direct", ""), (True, False, "direct", "")]


def test_the_same_client_session_in_two_projects_is_two_sessions(silver: Stand) -> None:
    keys = silver.rows("select session_key from silver.sessions where project in ('shop', 'blog')")
    assert len(set(keys)) == 2


def test_an_event_that_names_nobody_has_no_session(silver: Stand) -> None:
    assert silver.rows("select visitor_key from silver.events where project = 'nobody'") == [None]
    assert silver.rows(SESSIONS, "nobody") == []


def end_of_window(silver: Stand, load: int) -> int:
    ends = silver.rows("select min(to_load_id) from tidelake.windows where to_load_id >= %s", load)
    return int(ends[0])
