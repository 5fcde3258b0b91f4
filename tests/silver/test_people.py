"""Users, their identities, and when a visitor came first."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from tests.silver.stand import Script, Stand, event, processed

from tidelake.batch import Processed

IDENTITIES = """
select identity_id, kind, linked_user_id, user_id, hops from silver_pii.identities
where project = %s order by kind, identity_id
"""

WEEKS = """
select sign, country, first_day::text, cohort_week::text, weeks_after
from silver.visitor_week_changes where project = 'weeks' and load_id between %s and %s
order by sign, week
"""


def login(id: str, clock: str, anonymous: str, user: str) -> dict[str, Any]:
    return event(id, "user_login", clock, anonymous_id=anonymous, user_id=user)


def alias(id: str, clock: str, previous: str, user: str) -> dict[str, Any]:
    return event(id, "user_alias", clock, previous_id=previous, user_id=user)


def identify(id: str, clock: str, plan: str) -> Processed:
    message = {
        "messageId": id,
        "type": "identify",
        "userId": "ada",
        "timestamp": f"2026-11-24T{clock}:00Z",
        "traits": {"plan": plan},
    }
    return processed([message], format="segment", project="users")


def visit(id: str, day: int, country: str, user: str = "ada", **more: Any) -> dict[str, Any]:
    where = {"location": {"country": country}}
    return event(id, "page_view", "10:00", day, user_id=user, **where, **more)


#: x is A, who became B, who became C, who became D.
CHAIN = [
    login("1", "09:00", "x", "A"),
    alias("2", "10:00", "A", "B"),
    alias("3", "11:00", "B", "C"),
    alias("4", "12:00", "C", "D"),
]

SENT: Script = {
    "links": [
        [
            event("1", "page_view", "10:00", anonymous_id="a1"),
            login("2", "10:05", "a1", "ada"),
            login("3", "10:10", "a1", "bob"),
            login("4", "11:00", "a2", "ada"),
        ],
        [login("0", "09:00", "a1", "eve"), login("5", "12:00", "a2", "bob")],
    ],
    "forth": [[CHAIN[at]] for at in (0, 1, 2, 3)],
    "back": [[CHAIN[at]] for at in (3, 2, 1, 0)],
    "mixed": [[CHAIN[at]] for at in (1, 3, 0, 2)],
    "circle": [
        [
            alias("1", "10:00", "A", "B"),
            alias("2", "11:00", "B", "A"),
            alias("3", "11:00", "C", "C"),
        ],
        [login("4", "09:00", "x", "A")],
    ],
    "chain": [[alias(str(n), f"10:{n:02}", f"u{n}", f"u{n + 1}") for n in range(20)]],
    "users": [
        [
            identify("1", "10:00", "free"),
            processed([visit("2", 24, "CH")], project="users"),
        ],
        [
            identify("3", "09:00", "older"),
            processed([event("4", "page_view", "08:00", user_id="ada")], project="users"),
        ],
    ],
    "days": [
        [
            visit("1", 23, "CH"),
            visit("2", 23, "CH"),
            visit("3", 23, "DE"),
            visit("5", 24, "CH", "bot", user_agent={"device_type": "bot"}),
        ],
        [visit("6", 23, "CH"), visit("4", 24, "CH")],
    ],
    "weeks": [
        [visit("1", 10, "CH"), visit("2", 24, "FR")],
        [visit("3", 24, "CH")],
        [visit("0", 1, "DE")],
    ],
}


@pytest.fixture(scope="module")
def loads(silver: Stand) -> dict[str, list[int]]:
    return silver.play(SENT)


@pytest.fixture(autouse=True)
def played(loads: dict[str, list[int]]) -> None:
    """Every test stands on the whole script."""


def test_an_anonymous_id_belongs_to_the_user_whom_the_earliest_event_names(silver: Stand) -> None:
    assert silver.rows(IDENTITIES, "links") == [
        ("a1", "anonymous", "eve", "eve", 1),
        ("a2", "anonymous", "ada", "ada", 1),
    ]
    assert silver.rows(
        "select identity_key = (select anonymous_key from silver.events"
        "  where project = 'links' and event_id = '1'),"
        " user_key = (select user_key from silver.events"
        "  where project = 'links' and event_id = '0')"
        " from silver.identities where project = 'links' order by linked_at limit 1"
    ) == [(True, True)]


@pytest.mark.parametrize("order", ["forth", "back", "mixed"])
def test_a_chain_of_aliases_leads_to_the_last_user_in_whatever_order_it_arrives(
    silver: Stand, order: str
) -> None:
    assert silver.rows(IDENTITIES, order) == [
        ("A", "anonymous", "B", "D", 3),
        ("B", "anonymous", "C", "D", 2),
        ("C", "anonymous", "D", "D", 1),
        ("x", "anonymous", "A", "D", 4),
        ("A", "user", "B", "D", 3),
        ("B", "user", "C", "D", 2),
        ("C", "user", "D", "D", 1),
    ]


def test_aliases_in_a_circle_and_to_oneself_come_to_an_end(silver: Stand) -> None:
    assert silver.rows(IDENTITIES, "circle") == [
        ("A", "anonymous", "B", "A", 2),
        ("B", "anonymous", "A", "B", 2),
        ("C", "anonymous", "C", "C", 1),
        ("x", "anonymous", "A", "B", 2),
        ("A", "user", "B", "B", 1),
        ("B", "user", "A", "A", 1),
    ]


def test_a_longer_chain_than_sixteen_is_followed_that_far(silver: Stand) -> None:
    assert silver.rows(
        "select user_id, hops from silver_pii.identities"
        " where project = 'chain' and kind = 'user' and identity_id = 'u0'"
    ) == [("u16", 16)]


def test_a_user_is_the_sum_of_all_events_and_the_last_that_was_said(silver: Stand) -> None:
    (found,) = silver.rows(
        "select events, country, to_char(first_seen_at at time zone 'UTC', 'HH24:MI'),"
        " to_char(last_seen_at at time zone 'UTC', 'HH24:MI'), traits"
        " from silver_pii.users where project = 'users'"
    )
    assert found[:4] == (4, "CH", "08:00", "10:00")
    assert json.loads(found[4]) == {"plan": "free"}


def test_a_visitor_counts_once_a_day_and_country_and_bots_do_not(silver: Stand) -> None:
    assert silver.rows(
        "select day, country from silver.visitor_days where project = 'days' order by 1, 2"
    ) == [(date(2026, 11, 23), "CH"), (date(2026, 11, 23), "DE"), (date(2026, 11, 24), "CH")]


def test_a_late_first_visit_moves_every_week_of_the_visitor_to_its_cohort(
    silver: Stand, loads: dict[str, list[int]]
) -> None:
    first, known, late = loads["weeks"]
    assert silver.rows(WEEKS, first, known - 1) == [
        (1, "CH", "2026-11-10", "2026-11-09", 0),
        (1, "CH", "2026-11-10", "2026-11-09", 2),
    ]
    assert silver.rows(WEEKS, known, late - 1) == []
    assert silver.rows(WEEKS, late, silver.done) == [
        (-1, "CH", "2026-11-10", "2026-11-09", 0),
        (-1, "CH", "2026-11-10", "2026-11-09", 2),
        (1, "DE", "2026-11-01", "2026-10-26", 0),
        (1, "DE", "2026-11-01", "2026-10-26", 2),
        (1, "DE", "2026-11-01", "2026-10-26", 4),
    ]
