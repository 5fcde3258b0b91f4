"""Events: each once, with what every other table counts by, and no personal column in sight."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random
from string import ascii_letters, digits
from typing import Any

import pytest
from tests.process.batches import NOON
from tests.silver.stand import Script, Stand, event, processed

from tidelake.event.contract import EVENTS, REJECTED
from tidelake.transform.dbt import ModelError

#: Personal fields whose columns have another name in silver.
RENAMED = {"session_info_session_id": "session_id", "location_city": "city"}

HOSTS = {
    "https://www.google.com/search?q=x": "google.com",
    "HTTP://user:secret@Shop.Example:8080/a": "shop.example",
    "android-app://com.google.android.gm/": "com.google.android.gm",
    "http://[2001:db8::1]:80/": "[2001:db8::1]",
    "Newsletter May": "newsletter may",
    "  ": None,
}

GROUPS = {"/": "/", "/p/oslo-sofa": "/p", "home": "home"}


def view(id: str, **members: Any) -> dict[str, Any]:
    return event(id, "page_view", "10:00", **{"user_id": "ada", **members})


ONE, TWO = view("1"), view("2")

#: Of no kind that compresses: an index holds 2,700 bytes of it at most.
LONG = "".join(Random(4).choices(ascii_letters + digits, k=3000))

SENT: Script = {
    "incompressible": [
        [
            view(
                "1",
                session_info={"referrer": LONG},
                user_agent={"device_type": LONG, "language": LONG},
                location={"country": LONG, "city": LONG},
                page={"path": LONG, "title": LONG},
                campaign={"source": LONG, "name": LONG},
                order={"currency": LONG},
            )
        ]
    ],
    "again": [
        [processed([ONE, ONE], project="again"), processed([ONE], project="again")],
        [ONE, TWO],
    ],
    "default": [
        [
            processed(
                [
                    event("plain", "page_view", "09:00", user_id="ada"),
                    event(
                        "whole",
                        "Something New",
                        "11:30",
                        day=23,
                        anonymous_id="a1",
                        location={"country": "CH"},
                        user_agent={"device_type": "bot"},
                    ),
                ]
            )
        ]
    ],
    "late": [
        [
            processed(
                [event(f"{minutes}", "page_view", "08:00", user_id="ada")],
                received_at=NOON - timedelta(hours=4) + timedelta(minutes=minutes),
                project="late",
            )
            for minutes in (60, 61)
        ]
    ],
    "keys_1": [[ONE, TWO, event("3", "page_view", "10:02", anonymous_id="ada")]],
    "keys_2": [[ONE, TWO, event("3", "page_view", "10:02", anonymous_id="ada")]],
    "quoted": [
        [
            {**ONE, "timestamp": 'ann@example.com, "Ann"'},
            {**ONE, "timestamp": "a" * 90 + "@example.com"},
            {**ONE, "user_id": 491701234567},
        ]
    ],
    "bad": [[processed([b"{", event("1", "page_view", "10:00")], project="bad")]],
    "absurd": [
        [
            view(
                "1",
                engagement={"interactions": 2**63 - 1, "time_on_page": 1e308, "scroll_depth": 50},
                performance={"page_load_time": -1e300, "network_latency": 12.5},
            ),
            event(
                "2",
                "purchase",
                "10:00",
                user_id="ada",
                order={"id": "o1", "total": 1e300, "tax": 2},
            ),
        ]
    ],
    "referrers": [
        [view(f"view {at}", page={"referrer": host}) for at, host in enumerate(HOSTS)],
    ],
    "pages": [
        [
            event("1", "search", "10:00", user_id="ada", search={"query": "Red Shoes"}),
            event("2", "search", "10:00", user_id="ada", search={"query": " "}),
            view("3", search={"query": "no search"}),
            *(
                event(f"view {at}", "screen_view", f"10:0{at}", user_id="ada", page={"path": path})
                for at, path in enumerate(GROUPS)
            ),
        ]
    ],
}


@pytest.fixture(scope="module")
def loads(silver: Stand) -> dict[str, list[int]]:
    return silver.play(SENT)


@pytest.fixture(autouse=True)
def played(loads: dict[str, list[int]]) -> None:
    """Every test stands on the whole script."""


def test_an_event_that_comes_again_stays_the_one_that_was_loaded_first(
    silver: Stand, loads: dict[str, list[int]]
) -> None:
    first, second, third = loads["again"]
    assert silver.rows(
        "select event_id, load_id from silver.events where project = 'again' order by 1"
    ) == [("1", first), ("2", third)]
    assert silver.rows(
        "select load_id, received_day, repeats from silver.repeats where project = 'again'"
        " order by load_id"
    ) == [(first, NOON.date(), 1), (second, NOON.date(), 1), (third, NOON.date(), 1)]


def test_what_everything_is_counted_by_is_never_null(
    silver: Stand, loads: dict[str, list[int]]
) -> None:
    assert silver.rows(
        "select event_id, project, country, day, is_bot, is_late, is_unknown_type, visitor_key ="
        " coalesce(user_key, anonymous_key) from silver.events where load_id = %s order by 1",
        loads["default"][0],
    ) == [
        ("plain", "default", "unknown", date(2026, 11, 24), False, True, False, True),
        ("whole", "default", "CH", date(2026, 11, 23), True, True, True, True),
    ]


def test_an_event_is_late_when_it_took_more_than_an_hour(silver: Stand) -> None:
    late = silver.rows("select event_id from silver.events where project = 'late' and is_late")
    assert late == ["61"]


def test_no_personal_column_is_in_the_schema_that_analysts_read(silver: Stand) -> None:
    personal = {
        RENAMED.get(field.name, field.name)
        for contract in (EVENTS, REJECTED)
        for field in contract
        if field.personal
    }
    columns = silver.rows(
        "select table_name || '.' || column_name from information_schema.columns"
        " where table_schema = 'silver'"
    )
    assert len(columns) > 200
    assert [column for column in columns if column.partition(".")[2] in personal] == []


def test_the_same_id_has_one_key_and_other_projects_and_kinds_have_others(silver: Stand) -> None:
    keys = silver.rows(r"select visitor_key from silver.events where project like 'keys\__'")
    assert len(keys) == 6
    assert len(set(keys)) == 4


def test_keys_are_those_of_the_function_that_privacy_officers_use(silver: Stand) -> None:
    assert silver.rows(
        "select count(*) from silver_pii.users where user_key ="
        " silver_pii.keyed_hash(project || chr(31) || 'user' || chr(31) || user_id)"
    ) == silver.rows("select count(*) from silver_pii.users")


def test_rejected_records_are_counted_without_their_bodies(
    silver: Stand, loads: dict[str, list[int]]
) -> None:
    (load,) = loads["bad"]
    assert silver.rows(
        "select load_id, row_number, reason, field, records from silver.rejected_events"
        " where project = 'bad' order by row_number"
    ) == [(load, 0, "not_json", None, 1), (load, 1, "missing_field", "user_id", 1)]


def test_why_a_record_was_rejected_is_told_without_its_values(silver: Stand) -> None:
    no_time = "timestamp is …, neither ISO 8601 nor epoch seconds or milliseconds"
    assert silver.rows(
        "select detail from silver.rejected_events where project = 'quoted' order by row_number"
    ) == [no_time, "timestamp is …", "user_id is …, not text"]


def test_figures_that_would_overflow_count_as_not_known(silver: Stand) -> None:
    assert silver.rows(
        "select interactions, time_on_page, scroll_depth from silver.engagement"
        " where project = 'absurd'"
    ) == [(None, None, 50)]
    assert silver.rows(
        "select page_load_time, network_latency from silver.web_performance"
        " where project = 'absurd'"
    ) == [(None, 12.5)]
    assert silver.rows("select total, tax from silver.orders where project = 'absurd'") == [
        (None, 2)
    ]


def test_values_of_any_length_stop_no_window(silver: Stand) -> None:
    assert silver.rows(
        "select page_path, visitor_days.country from silver.page_views"
        " join silver.visitor_days using (project) where project = 'incompressible'"
    ) == [(LONG, LONG[:100])]


def test_a_referrer_is_known_by_its_host(silver: Stand) -> None:
    assert silver.rows(
        "select referrer_domain from silver.page_views"
        " join silver.events using (event_day, event_key)"
        " where events.project = 'referrers' order by event_id"
    ) == list(HOSTS.values())


def test_a_page_belongs_to_the_group_of_its_first_step(silver: Stand) -> None:
    assert silver.rows(
        "select page_path, page_group from silver.page_views"
        " where project = 'pages' and page_path is not null order by event_time"
    ) == list(GROUPS.items())


def test_a_search_is_an_event_search_with_a_query(silver: Stand) -> None:
    assert silver.rows("select query from silver.searches where project = 'pages'") == ["Red Shoes"]


def test_what_retention_dropped_from_raw_is_not_missed(silver: Stand) -> None:
    def failures() -> list[int]:
        bounds = {"to_load_id": silver.loaded, "test_from_load_id": silver.loaded - 1}
        return [one.failures for one in silver.dbt.test(bounds, ["raw_rows_are_events_or_repeats"])]

    load = silver.send(ONE, project="dropped")
    silver.take()
    silver.execute("delete from raw.events where load_id = %s", load)
    assert failures() == [1]

    silver.execute(
        "insert into tidelake.loads"
        " (load_id, table_name, file_path, sequence_number, load_day, dropped_at)"
        " values (%s, 'events', 'dropped', 1, current_date, now())",
        load,
    )
    assert failures() == [0]


def test_a_window_that_is_closed_lets_nobody_in(silver: Stand) -> None:
    silver.send(view("1"), project="closed")
    window = silver.open()
    silver.close()
    with pytest.raises(ModelError, match="is not open"):
        silver.dbt.run(window, ("new_events",))
    assert silver.rows("select 1 from silver.events where project = 'closed'") == []
