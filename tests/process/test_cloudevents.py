"""CloudEvents 1.0, structured and binary."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import Any

import pytest

from tidelake.event.registry import load
from tidelake.process.formats.cloudevents import type_of

from .batches import GROWN, NOON, refusal, row

ATTRIBUTES = {
    "specversion": "1.0",
    "id": "ce1",
    "source": "/shop/orders",
    "type": "com.example.shop.order.completed.v2",
    "time": "2026-11-24T11:00:00Z",
}


def event(**members: Any) -> dict[str, Any]:
    return {name: value for name, value in {**ATTRIBUTES, **members}.items() if value is not ...}


def structured(**members: Any) -> dict[str, Any]:
    return row(event(**members), "cloudevents")


def binary(body: bytes, **attributes: Any) -> dict[str, Any]:
    return row(body, "cloudevents", envelope={"ce": event(**attributes)})


def test_a_structured_event_is_kept_whole_and_its_data_fills_the_native_columns() -> None:
    data = {"session_info": {"session_id": "s1"}, "order": {"total": 9}, "metadata": {"os": "iOS"}}
    found = structured(data=data, subject="order/5")
    assert found["_doc"] == json.dumps(event(data=data, subject="order/5"))
    assert "_rest" not in found
    assert (found["event_id"], found["event_name"]) == ("ce1", ATTRIBUTES["type"])
    assert (found["event_type"], found["event_day"]) == ("purchase", date(2026, 11, 24))
    assert found["event_time"] == datetime(2026, 11, 24, 11, tzinfo=UTC)
    assert (found["session_info_session_id"], found["order_total"]) == ("s1", 9.0)
    assert found["metadata_os"] == "iOS"
    assert found["quality_flags"] == []


def test_data_may_be_a_whole_native_event() -> None:
    found = structured(data={"user_id": "u", "_doc": {"page": {"url": "x"}, "product": {}}})
    assert (found["user_id"], found["page_url"]) == ("u", "x")
    assert "product_id" in found["items"]


def test_a_binary_event_s_doc_is_its_body() -> None:
    found = binary(b'{"page":{"path":"/x"},"user_id":"u"} ', datacontenttype="application/json")
    assert found["_doc"] == '{"page":{"path":"/x"},"user_id":"u"} '
    assert (found["page_path"], found["user_id"], found["event_id"]) == ("/x", "u", "ce1")


@pytest.mark.parametrize("body", [b"", b"plain text", b"[1, 2]", b"{cut"])
def test_data_that_is_no_object_fills_no_columns(body: bytes) -> None:
    found = binary(body, datacontenttype="text/plain")
    assert found.get("_doc", "") == body.decode()


@pytest.mark.parametrize(
    ("body", "reason"), [(b"{cut", "not_json"), (b"\xff", "not_utf8"), (b"a\0b", "not_json")]
)
def test_a_binary_event_is_held_to_what_its_headers_say(body: bytes, reason: str) -> None:
    envelope = {"ce": event(datacontenttype="application/json; charset=utf-8")}
    assert refusal(body, "cloudevents", envelope=envelope)[0] == reason


@pytest.mark.parametrize(
    ("members", "user"),
    [
        ({"data": {"user_id": "a", "userId": "b"}, "userid": "c"}, "a"),
        ({"data": {"userId": "b"}, "userid": "c"}, "b"),
        ({"userid": "c"}, "c"),
        ({"subject": "not a user"}, None),
    ],
)
def test_the_user_is_looked_for_in_the_data_then_in_an_extension(
    members: dict[str, Any], user: str | None
) -> None:
    assert structured(**members).get("user_id") == user


def test_source_and_id_together_are_the_identity() -> None:
    keys = {
        structured(source=source, id=id)["event_key"]
        for source, id in (("/a", "1"), ("/a", "2"), ("/b", "1"), ("/a1", "2"), ("/", "a1"))
    }
    assert len(keys) == 5
    assert structured(time=...)["event_key"] == structured(data={"x": 1})["event_key"]


def test_without_a_time_the_receipt_stands_in() -> None:
    found = structured(time=...)
    assert (found["event_time"], found["event_day"]) == (NOON, date(1970, 1, 1))
    assert found["quality_flags"] == ["no_timestamp"]


@pytest.mark.parametrize(
    ("members", "reason", "field"),
    [
        ({"id": ...}, "missing_field", "event_id"),
        ({"id": ""}, "missing_field", "event_id"),
        ({"id": 5}, "wrong_type", "event_id"),
        ({"id": "i" * 300}, "too_long", "event_id"),
        ({"source": ...}, "missing_field", None),
        ({"type": ...}, "missing_field", "event_type"),
        ({"specversion": ...}, "unknown_message", None),
        ({"specversion": "0.3"}, "unknown_message", None),
        ({"time": "yesterday"}, "bad_timestamp", "event_time"),
        ({"time": "1999-01-01T00:00:00Z"}, "too_early", "event_time"),
    ],
)
def test_an_event_that_breaks_the_specification_is_refused(
    members: dict[str, Any], reason: str, field: str | None
) -> None:
    assert refusal(event(**members), "cloudevents")[:2] == (reason, field)
    assert refusal(b"{}", "cloudevents", envelope={"ce": event(**members)})[:2] == (reason, field)


@pytest.mark.parametrize(
    ("sent", "name"),
    [
        ("com.example.shop.order.completed.v2", "purchase"),
        ("com.example.order.completed", "purchase"),
        ("order.completed", "purchase"),
        ("com.example.click", "click"),
        ("de.beispiel.suche.search", "suche_search"),
        ("com.example.ad.click", "ad_click"),
        ("com.github.pull_request.opened", "pull_request_opened"),
        ("page_view", "page_view"),
        ("io.example.PageViewed.1", "page_view"),
        ("v1", "v1"),
        ("a.b", "a_b"),
    ],
)
def test_the_type_is_read_without_domain_and_version(sent: str, name: str) -> None:
    registry = load()
    assert registry.resolve(type_of(sent, registry))[0] == name


def test_evolved_columns_are_filled_from_the_event_as_sent() -> None:
    found = row(
        event(x={"y": {"z": 7}}, data={"page": {"url": "u"}}), "cloudevents", contract=GROWN
    )
    assert (found["x_y_z"], found["page_url"]) == (7, "u")
