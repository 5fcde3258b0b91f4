"""Segment's messages, as its specification and its SDKs write them."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import Any

import pytest

from tidelake.event.identity import event_key

from .batches import EVENT, GROWN, NOON, refusal, row

IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1"
)
ELEVEN = datetime(2026, 11, 24, 11, tzinfo=UTC)


def message(type: str = "track", **members: Any) -> dict[str, Any]:
    base = {
        "type": type,
        "messageId": "m1",
        "userId": "u1",
        "anonymousId": "a1",
        "timestamp": "2026-11-24T11:00:00.000Z",
    }
    return base | ({"event": "Order Completed"} if type == "track" else {}) | members


def columns(record: Any, **known: Any) -> dict[str, Any]:
    return row(record, "segment", **known)


def test_a_track_call_is_its_event_and_doc_is_the_whole_message() -> None:
    body = json.dumps(message(), indent=1).encode()
    assert columns(body, envelope={"project": "shop"}) == {
        "event_key": event_key("segment", "shop", "m1"),
        "event_id": "m1",
        "event_type": "purchase",
        "event_name": "Order Completed",
        "event_time": ELEVEN,
        "event_day": date(2026, 11, 24),
        "received_at": NOON,
        "user_id": "u1",
        "anonymous_id": "a1",
        "source": "api",
        "source_position": "inbox/7d0c/0/1",
        "format": "segment",
        "project": "shop",
        "quality_flags": [],
        "envelope": '{"project": "shop"}',
        "_doc": body.decode(),
    }


@pytest.mark.parametrize(
    ("call", "members", "event_type", "name"),
    [
        ("identify", {}, "user_identify", "identify"),
        ("alias", {"previousId": "old"}, "user_alias", "alias"),
        ("group", {"groupId": "g1"}, "group_identify", "group"),
        ("page", {"name": "Home"}, "page_view", "Home"),
        ("page", {"category": "Docs"}, "page_view", "Docs"),
        ("page", {"properties": {"name": "Cart"}}, "page_view", "Cart"),
        ("page", {}, "page_view", "page"),
        ("screen", {"name": "Start"}, "screen_view", "Start"),
    ],
)
def test_every_call_is_an_event_of_its_type(
    call: str, members: dict[str, Any], event_type: str, name: str
) -> None:
    found = columns(message(call, **members))
    assert (found["event_type"], found["event_name"]) == (event_type, name)
    assert found["quality_flags"] == []
    assert found.get("previous_id") == members.get("previousId")
    assert found.get("group_id") == members.get("groupId")


def test_the_route_says_the_call_where_the_message_does_not() -> None:
    record = {"event": "Signed Up", "userId": "u", "messageId": "m"}
    assert columns(record, envelope={"type": "track"})["event_type"] == "user_signup"
    assert refusal(record, "segment")[:2] == ("unknown_message", "event_type")


def test_context_fills_the_columns_of_device_place_page_and_campaign() -> None:
    context: dict[str, Any] = {
        "ip": "8.8.8.8",
        "locale": "de-CH",
        "timezone": "Europe/Zurich",
        "userAgent": IPHONE,
        "page": {
            "url": "https://x/y?z",
            "path": "/y",
            "title": "T",
            "referrer": "r",
            "search": "?z",
        },
        "campaign": {"source": "s", "medium": "m", "name": "n", "term": "t", "content": "c"},
        "screen": {"width": 390, "height": 844, "density": 3},
        "device": {"type": "ios", "model": "iPhone15,2", "manufacturer": "Apple"},
        "os": {"name": "iOS", "version": "17.5.1"},
        "network": {"wifi": True, "cellular": False, "carrier": "Swisscom"},
        "location": {"country": "Switzerland", "region": "ZH", "city": "Zürich"},
        "groupId": "g9",
        "traits": {"plan": "pro"},
    }
    found = columns(message(context=context))
    assert found["quality_flags"] == []
    stated = {
        "location_ip_address": "8.8.8.8",
        "user_agent_language": "de-CH",
        "user_agent_timezone": "Europe/Zurich",
        "user_agent_screen_resolution": "390x844",
        "user_agent_device_type": "mobile",
        "user_agent_platform_version": "17.5.1",
        "metadata_os": "iOS",
        "metadata_device": "iPhone15,2",
        "location_connection_type": "wifi",
        "location_isp": "Swisscom",
        "location_country": "Switzerland",
        "location_region": "ZH",
        "location_city": "Zürich",
        "group_id": "g9",
        "traits": '{"plan":"pro"}',
        **{f"page_{name}": value for name, value in context["page"].items()},
        **{f"campaign_{name}": value for name, value in context["campaign"].items()},
    }
    from_agent = {"metadata_browser": "Mobile Safari", "user_agent_browser_version": "17.5"}
    wanted = stated | from_agent
    assert {name: found.get(name) for name in wanted} == wanted


def test_a_batch_s_context_stands_behind_the_message_s_own() -> None:
    envelope = {"context": {"locale": "de", "ip": "1.1.1.1", "library": {"name": "x"}}}
    found = columns(message(context={"ip": "2.2.2.2"}), envelope=envelope)
    assert (found["user_agent_language"], found["location_ip_address"]) == ("de", "2.2.2.2")
    assert "1.1.1.1" not in found["_doc"]


def test_a_page_call_is_about_its_own_properties() -> None:
    record = message(
        "page", properties={"url": "new"}, context={"page": {"url": "old", "path": "p"}}
    )
    found = columns(record)
    assert (found["page_url"], found["page_path"]) == ("new", "p")


PRODUCT = {"product_id": "p1", "sku": "s1", "name": "Shoe", "category": "c", "price": 9.5}


def test_an_order_is_a_purchase_with_its_products() -> None:
    properties = {
        "order_id": "o1", "total": 27.5, "subtotal": 22.5, "revenue": 25, "shipping": 3, "tax": 2,
        "discount": 2.5, "coupon": "hasbros", "currency": "USD",
        "products": [{**PRODUCT, "quantity": 2, "url": "x"}],
    }  # fmt: skip
    found = columns(message(properties=properties))
    order = {
        name: value for name, value in found.items() if name.startswith("order_") or name == "items"
    }
    assert json.loads(order.pop("items")) == [{**PRODUCT, "quantity": 2}]
    assert order == {
        "order_id": "o1",
        "order_total": 27.5,
        "order_subtotal": 22.5,
        "order_shipping": 3.0,
        "order_tax": 2.0,
        "order_discount": 2.5,
        "order_coupon": "hasbros",
        "order_currency": "USD",
    }


def test_revenue_stands_in_for_a_total() -> None:
    found = columns(message(properties={"revenue": 25}))
    assert (found["order_total"], found["order_subtotal"]) == (25.0, 25.0)


@pytest.mark.parametrize("event", ["Product Viewed", "Product Added", "Product Clicked"])
def test_an_event_about_one_product_has_a_list_of_one(event: str) -> None:
    found = columns(message(event=event, properties=PRODUCT))
    assert json.loads(found["items"]) == [{**PRODUCT, "quantity": None}]


def test_a_search_has_its_query() -> None:
    found = columns(message(event="Products Searched", properties={"query": "shoe"}))
    assert (found["event_type"], found["search_query"]) == ("search", "shoe")


def test_the_total_of_a_quiz_is_no_order_s() -> None:
    found = columns(
        message(event="Quiz Finished", properties={"total": 9, "name": "Q", "price": 1})
    )
    assert "order_total" not in found
    assert "items" not in found


@pytest.mark.parametrize(
    ("sent_at", "time", "flags"),
    [
        ("2026-11-24T12:00:00Z", ELEVEN, []),
        ("2026-11-24T11:59:58Z", datetime(2026, 11, 24, 11, 0, 2, tzinfo=UTC), []),
        ("2026-11-24T11:30:00Z", datetime(2026, 11, 24, 11, 30, tzinfo=UTC), ["clock_corrected"]),
        ("2026-11-25T12:00:00Z", datetime(2026, 11, 23, 11, tzinfo=UTC), ["clock_corrected"]),
        ("2026-11-24T10:00:00Z", ELEVEN, ["clock_ignored"]),  # before the event itself
        ("1970-01-01T00:00:00Z", ELEVEN, ["clock_ignored"]),
        ("2040-01-01T00:00:00Z", ELEVEN, ["clock_ignored"]),  # would be too early
        ("soon", ELEVEN, ["clock_ignored"]),
        (None, ELEVEN, []),
    ],
)
@pytest.mark.parametrize("where", ["message", "batch"])
def test_the_time_is_corrected_by_the_client_s_clock(
    where: str, sent_at: str | None, time: datetime, flags: list[str]
) -> None:
    if where == "message":
        found = columns(message(sentAt=sent_at))
    else:
        found = columns(message(), envelope={"sentAt": sent_at})
    assert (found["event_time"], found["quality_flags"]) == (time, flags)
    assert found["event_day"] == date(2026, 11, 24)  # as stated, so that a retry has the same


def test_a_clock_that_is_years_off_is_put_right() -> None:
    record = message(timestamp="1970-01-02T00:00:00Z", sentAt="1970-01-02T00:30:00Z")
    found = columns(record)
    assert found["event_time"] == datetime(2026, 11, 24, 11, 30, tzinfo=UTC)
    assert found["event_day"] == date(1970, 1, 2)


def test_what_segment_corrected_already_is_taken_as_it_is() -> None:
    record = message(originalTimestamp="2026-11-23T09:00:00Z", sentAt="2026-11-23T10:00:00Z")
    found = columns(record)
    assert (found["event_time"], found["event_day"]) == (ELEVEN, date(2026, 11, 23))


def test_without_a_time_the_receipt_stands_in() -> None:
    found = columns(message(timestamp=None))
    assert (found["event_time"], found["event_day"]) == (NOON, date(1970, 1, 1))
    assert found["quality_flags"] == ["no_timestamp"]


def test_a_time_that_is_none_is_refused_rather_than_guessed() -> None:
    assert refusal(message(timestamp="yesterday"), "segment")[:2] == ("bad_timestamp", "event_time")


def test_a_retry_has_the_same_key_whatever_its_sent_at() -> None:
    first = columns(message(sentAt="2026-11-24T11:00:01Z"), envelope={"sentAt": "a"})
    again = columns(message(sentAt="2026-11-24T11:05:01Z"), envelope={"sentAt": "b"})
    assert first["event_key"] == again["event_key"]
    assert first["event_day"] == again["event_day"]


def test_a_message_without_an_id_gets_one_that_a_retry_gets_too() -> None:
    first, again, other = (
        columns(message(messageId=None, sentAt=sent_at, userId=user))
        for sent_at, user in (
            ("2026-11-24T11:00:01Z", "u"),
            ("2026-11-24T11:00:02Z", "u"),
            (None, "v"),
        )
    )
    assert len(first["event_id"]) == 32
    assert (first["event_id"], first["event_key"]) == (again["event_id"], again["event_key"])
    assert other["event_key"] != first["event_key"]


@pytest.mark.parametrize(
    ("record", "reason", "field"),
    [
        (message("video"), "unknown_message", "event_type"),
        (message(type=["track"]), "unknown_message", "event_type"),
        (message(event=None), "missing_field", "event_type"),
        (message(event=5), "wrong_type", "event_type"),
        (message(userId=None, anonymousId=None), "missing_field", "user_id"),
        (message(userId=17, anonymousId=None), "wrong_type", "user_id"),
        (message(messageId="m" * 300), "too_long", "event_id"),
        (b"[]", "not_an_object", None),
        (b'{"type":"track"', "not_json", None),
    ],
)
def test_a_bad_message_is_refused(record: Any, reason: str, field: str | None) -> None:
    assert refusal(record, "segment")[:2] == (reason, field)


def test_wrong_types_cost_columns_not_the_event() -> None:
    record = message(
        messageId=5,
        context={"ip": 5, "page": "x", "screen": {"width": "w", "height": 1}, "device": []},
        properties={"total": "9", "products": {}},
    )
    assert columns(record)["quality_flags"] == [
        "wrong_type:context_device",
        "wrong_type:context_page",
        "wrong_type:event_id",
        "wrong_type:items",
        "wrong_type:location_ip_address",
        "wrong_type:order_total",
    ]


def test_evolved_columns_are_filled_from_the_message() -> None:
    record = message(x={"y": {"z": 7}, "flag": "no"}, properties={"plan": "p"})
    found = columns(record, contract=GROWN)
    assert found["x_y_z"] == 7
    assert found["quality_flags"] == ["wrong_type:x_flag"]


def test_a_native_event_in_a_segment_message_s_place_is_no_message() -> None:
    assert refusal(EVENT, "segment")[0] == "unknown_message"
