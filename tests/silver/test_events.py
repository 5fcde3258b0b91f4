"""Events: each once, with what every other table counts by, and no personal column in sight."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pyarrow as pa
import pytest
from tests.process.batches import NOON
from tests.silver.stand import Stand, event, processed

from tidelake.event.contract import EVENTS, REJECTED
from tidelake.transform.dbt import ModelError

#: Personal fields whose columns have another name in silver.
RENAMED = {"session_info_session_id": "session_id", "location_city": "city"}


def test_an_event_that_comes_again_stays_the_one_that_was_loaded_first(silver: Stand) -> None:
    sent = event("1", "page_view", "10:00", user_id="ada")
    first = silver.send(sent, sent, project="again")
    second = silver.send(sent, project="again")
    silver.take()
    third = silver.send(sent, event("2", "page_view", "10:00", user_id="ada"), project="again")
    silver.take()
    assert silver.rows("select event_id, load_id from silver.events where project = 'again'") == [
        ("1", first),
        ("2", third),
    ]
    assert silver.rows(
        "select load_id, received_day, repeats from silver.repeats where project = 'again'"
        " order by load_id"
    ) == [(first, NOON.date(), 1), (second, NOON.date(), 1), (third, NOON.date(), 1)]


def test_what_everything_is_counted_by_is_never_null(silver: Stand) -> None:
    silver.send(
        event("plain", "page_view", "09:00", user_id="ada"),
        event(
            "whole",
            "Something New",
            "11:30",
            day=23,
            anonymous_id="a1",
            location={"country": "CH"},
            user_agent={"device_type": "bot"},
            page={"path": "/shop/shoes"},
        ),
        project=None,
    )
    silver.take()
    assert silver.rows(
        "select event_id, project, country, day, is_bot, is_late, is_unknown_type, visitor_key ="
        " coalesce(user_key, anonymous_key) from silver.events where load_id = %s order by 1",
        silver.done,
    ) == [
        ("plain", "default", "unknown", date(2026, 11, 24), False, True, False, True),
        ("whole", "default", "CH", date(2026, 11, 23), True, True, True, True),
    ]


def test_an_event_is_late_when_it_took_more_than_an_hour(silver: Stand) -> None:
    for minutes in (60, 61):
        silver.send(
            event(str(minutes), "page_view", "08:00", user_id="ada"),
            received_at=NOON - timedelta(hours=4) + timedelta(minutes=minutes),
            project="late",
        )
    silver.take()
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
    for project in ("keys_1", "keys_2"):
        silver.send(
            event("1", "page_view", "10:00", user_id="x"),
            event("2", "page_view", "10:01", user_id="x"),
            event("3", "page_view", "10:02", anonymous_id="x"),
            project=project,
        )
    silver.take()
    keys = silver.rows("select visitor_key from silver.events where project like 'keys_%%'")
    assert len(keys) == 6
    assert len(set(keys)) == 4


def test_whoever_reads_silver_sees_a_key_that_needs_the_masking_key(silver: Stand) -> None:
    assert silver.rows(
        "select count(*) from silver_pii.users where user_key ="
        " silver_pii.keyed_hash(project || chr(31) || 'user' || chr(31) || user_id)"
    ) == silver.rows("select count(*) from silver_pii.users")


def test_rejected_records_are_counted_without_their_bodies(silver: Stand) -> None:
    load = silver.send(b"{", event("1", "page_view", "10:00"), project="bad")
    silver.take()
    assert silver.rows(
        "select load_id, row_number, reason, field, records from silver.rejected_events"
        " where project = 'bad' order by row_number"
    ) == [(load, 0, "not_json", None, 1), (load, 1, "missing_field", "user_id", 1)]


def test_figures_that_would_overflow_count_as_not_known(silver: Stand) -> None:
    silver.send(
        event(
            "1",
            "page_view",
            "10:00",
            user_id="ada",
            engagement={"interactions": 2**63 - 1, "time_on_page": 1e308, "scroll_depth": 50},
            performance={"page_load_time": -1e300, "network_latency": 12.5},
        ),
        event(
            "2", "purchase", "10:00", user_id="ada", order={"id": "o1", "total": 1e300, "tax": 2}
        ),
        project="absurd",
    )
    silver.take()
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


def test_a_referrer_is_known_by_its_host(silver: Stand) -> None:
    hosts = {
        "https://www.google.com/search?q=x": "google.com",
        "HTTP://user:secret@Shop.Example:8080/a": "shop.example",
        "android-app://com.google.android.gm/": "com.google.android.gm",
        "http://[2001:db8::1]:80/": "[2001:db8::1]",
        "Newsletter May": "newsletter may",
        "  ": None,
    }
    silver.send(
        *(
            event(f"view {at}", "page_view", "10:00", user_id="ada", page={"referrer": referrer})
            for at, referrer in enumerate(hosts)
        ),
        project="referrers",
    )
    silver.take()
    assert silver.rows(
        "select referrer_domain from silver.page_views"
        " join silver.events using (event_day, event_key)"
        " where events.project = 'referrers' order by event_id"
    ) == list(hosts.values())


def test_searches_views_and_groups_of_pages(silver: Stand) -> None:
    paths = ["/", "/p/oslo-sofa", "home", ""]
    silver.send(
        event("1", "search", "10:00", user_id="ada", search={"query": "Red Shoes"}),
        event("2", "search", "10:00", user_id="ada", search={"query": " "}),
        event("3", "page_view", "10:00", user_id="ada", search={"query": "no search"}),
        *(
            event(
                f"view {at}",
                "screen_view",
                f"10:0{at}",
                user_id="ada",
                page={"path": path, "title": "T"},
            )
            for at, path in enumerate(paths)
        ),
        project="pages",
    )
    silver.take()
    assert silver.rows("select query from silver.searches where project = 'pages'") == ["Red Shoes"]
    assert silver.rows(
        "select page_path, page_group from silver.page_views"
        " where project = 'pages' and page_path is not null order by event_time"
    ) == [("/", "/"), ("/p/oslo-sofa", "/p"), ("home", "home"), ("", "")]


def test_a_window_that_is_closed_lets_nobody_in(silver: Stand) -> None:
    silver.send(event("1", "page_view", "10:00", user_id="ada"), project="closed")
    silver.run()
    window = silver.open()
    silver.close()
    with pytest.raises(ModelError, match="is not open"):
        silver.dbt.run(window, ("new_events",))
    assert len(silver.rows("select 1 from silver.events where project = 'closed'")) == 1


def test_rows_of_the_raw_table_that_no_decoder_wrote_stop_no_window(silver: Stand) -> None:
    odd = [
        "[",
        "{}",
        '[{"price": 1e999999}]',
        '[1, null, {"price": 1e999}]',
        '[{"price": 1e-999, "quantity": 1e30}]',
        '["\\u0000"]',
        '[{"sku": 5, "quantity": 1.5, "name": {"a": 1}}]',
    ]
    done = processed([event(str(n), "purchase", "10:00", user_id="ada") for n, _ in enumerate(odd)])
    events = done.events.drop_columns("items").append_column("items", pa.array(odd))
    load = silver.load(replace(done, events=events.select(done.events.schema.names)))
    silver.take()
    assert silver.rows(
        "select line_number, sku, product_name, price, quantity from silver.order_items"
        " where load_id = %s order by 1, 4",
        load,
    ) == [(1, None, None, 0, None), (1, None, None, None, None), (3, None, None, None, None)]
    assert silver.rows("select count(*) from silver.orders where load_id = %s", load) == [7]
