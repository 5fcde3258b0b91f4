"""Users, their identities, and when a visitor came first."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

from tests.silver.stand import Stand, event

IDENTITIES = """
select identity_id, kind, linked_user_id, user_id, hops from silver_pii.identities
where project = %s order by kind, identity_id
"""


def alias(id: str, clock: str, previous: str, user: str) -> dict[str, Any]:
    return event(id, "user_alias", clock, previous_id=previous, user_id=user)


def test_an_anonymous_id_belongs_to_the_user_whom_the_earliest_event_names(silver: Stand) -> None:
    silver.send(
        event("1", "page_view", "10:00", anonymous_id="a1"),
        event("2", "user_login", "10:05", anonymous_id="a1", user_id="ada"),
        event("3", "page_view", "10:10", anonymous_id="a1", user_id="bob"),
        project="links",
    )
    silver.take()
    assert silver.rows(IDENTITIES, "links") == [("a1", "anonymous", "ada", "ada", 1)]

    silver.send(
        event("0", "user_login", "09:00", anonymous_id="a1", user_id="eve"), project="links"
    )
    silver.take()
    assert silver.rows(IDENTITIES, "links") == [("a1", "anonymous", "eve", "eve", 1)]
    assert silver.rows(
        "select identity_key = (select anonymous_key from silver.events"
        "  where project = 'links' and event_id = '1'),"
        " user_key = (select user_key from silver.events"
        "  where project = 'links' and event_id = '0')"
        " from silver.identities where project = 'links'"
    ) == [(True, True)]


def test_a_chain_of_aliases_leads_to_the_last_user_in_whatever_order_it_arrives(
    silver: Stand,
) -> None:
    steps = [
        event("1", "user_login", "09:00", anonymous_id="x", user_id="A"),
        alias("2", "10:00", "A", "B"),
        alias("3", "11:00", "B", "C"),
        alias("4", "12:00", "C", "D"),
    ]
    orders = {"forth": [0, 1, 2, 3], "back": [3, 2, 1, 0], "mixed": [1, 3, 0, 2]}
    for window in range(len(steps)):
        for project, order in orders.items():
            silver.send(steps[order[window]], project=project)
        silver.take()
    for project in orders:
        assert silver.rows(IDENTITIES, project) == [
            ("A", "anonymous", "B", "D", 3),
            ("B", "anonymous", "C", "D", 2),
            ("C", "anonymous", "D", "D", 1),
            ("x", "anonymous", "A", "D", 4),
            ("A", "user", "B", "D", 3),
            ("B", "user", "C", "D", 2),
            ("C", "user", "D", "D", 1),
        ]


def test_aliases_in_a_circle_and_to_oneself_come_to_an_end(silver: Stand) -> None:
    silver.send(
        alias("1", "10:00", "A", "B"),
        alias("2", "11:00", "B", "A"),
        alias("3", "11:00", "C", "C"),
        project="circle",
    )
    silver.take()
    silver.send(event("4", "user_login", "09:00", anonymous_id="x", user_id="A"), project="circle")
    silver.take()
    assert silver.rows(IDENTITIES, "circle") == [
        ("A", "anonymous", "B", "A", 2),
        ("B", "anonymous", "A", "B", 2),
        ("C", "anonymous", "C", "C", 1),
        ("x", "anonymous", "A", "B", 2),
        ("A", "user", "B", "B", 1),
        ("B", "user", "A", "A", 1),
    ]


def test_a_longer_chain_than_sixteen_is_followed_that_far(silver: Stand) -> None:
    silver.send(
        *(alias(str(n), f"10:{n:02}", f"u{n}", f"u{n + 1}") for n in range(20)), project="chain"
    )
    silver.take()
    assert silver.rows(
        "select user_id, hops from silver_pii.identities"
        " where project = 'chain' and kind = 'user' and identity_id = 'u0'"
    ) == [("u16", 16)]


def test_a_user_is_the_sum_of_all_events_and_the_last_that_was_said(silver: Stand) -> None:
    def identify(id: str, clock: str, plan: str) -> dict[str, Any]:
        return {
            "messageId": id,
            "type": "identify",
            "userId": "ada",
            "timestamp": f"2026-11-24T{clock}:00Z",
            "traits": {"plan": plan},
        }

    silver.send(identify("1", "10:00", "free"), format="segment", project="users")
    silver.send(
        event("2", "page_view", "11:00", user_id="ada", location={"country": "CH"}),
        project="users",
    )
    silver.run()
    silver.take()  # a second time: nothing is counted twice
    silver.send(identify("3", "09:00", "older"), format="segment", project="users")
    silver.send(event("4", "page_view", "08:00", user_id="ada"), project="users")
    silver.take()
    (found,) = silver.rows(
        "select events, country, traits, to_char(first_seen_at at time zone 'UTC', 'HH24:MI'),"
        " to_char(last_seen_at at time zone 'UTC', 'HH24:MI')"
        " from silver_pii.users where project = 'users'"
    )
    assert found[:2] == (4, "CH")
    assert json.loads(found[2]) == {"plan": "free"}
    assert found[3:] == ("08:00", "11:00")


def test_a_visitor_counts_once_a_day_and_country_and_bots_do_not(silver: Stand) -> None:
    def visit(id: str, day: int, country: str, **more: Any) -> dict[str, Any]:
        return event(id, "page_view", "10:00", day, location={"country": country}, **more)

    silver.send(
        visit("1", 23, "CH", user_id="ada"),
        visit("2", 23, "CH", user_id="ada", x=1),
        visit("3", 23, "DE", user_id="ada"),
        visit("4", 24, "CH", user_id="ada"),
        visit("5", 24, "CH", user_id="bot", user_agent={"device_type": "bot"}),
        project="days",
    )
    silver.take()
    assert silver.rows(
        "select day, country from silver.visitor_days where project = 'days' order by 1, 2"
    ) == [(date(2026, 11, 23), "CH"), (date(2026, 11, 23), "DE"), (date(2026, 11, 24), "CH")]


def test_a_late_first_visit_moves_every_week_of_the_visitor_to_its_cohort(silver: Stand) -> None:
    def visit(id: str, day: int, country: str) -> dict[str, Any]:
        where = {"location": {"country": country}}
        return event(id, "page_view", "10:00", day, user_id="ada", **where)

    changes = """
    select sign, country, first_day::text, cohort_week::text, weeks_after
    from silver.visitor_week_changes where project = 'weeks' and load_id = %s
    order by sign, week
    """
    first = silver.send(visit("1", 10, "CH"), visit("2", 24, "FR"), project="weeks")
    silver.take()
    assert silver.rows(changes, first) == [
        (1, "CH", "2026-11-10", "2026-11-09", 0),
        (1, "CH", "2026-11-10", "2026-11-09", 2),
    ]

    known = silver.send(visit("3", 25, "CH"), project="weeks")
    silver.take()
    assert silver.rows(changes, known) == []

    late = silver.send(visit("0", 1, "DE"), project="weeks")
    silver.take()
    assert silver.rows(changes, late) == [
        (-1, "CH", "2026-11-10", "2026-11-09", 0),
        (-1, "CH", "2026-11-10", "2026-11-09", 2),
        (1, "DE", "2026-11-01", "2026-10-26", 0),
        (1, "DE", "2026-11-01", "2026-10-26", 2),
        (1, "DE", "2026-11-01", "2026-10-26", 4),
    ]
