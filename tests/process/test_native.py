"""The native format: every column from its path, and nothing that was sent is lost."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tidelake.event.contract import EVENTS
from tidelake.event.fields import Type
from tidelake.event.identity import event_key

from .batches import EVENT, GROWN, NOON, STREAM, row

SAMPLES: dict[Type, Any] = {
    Type.STRING: "Grüße",
    Type.LONG: 7,
    Type.DOUBLE: 2.5,
    Type.BOOLEAN: True,
    Type.TIMESTAMP: "2026-11-24T10:15:00.123Z",
}
VALUES = {**SAMPLES, Type.TIMESTAMP: datetime(2026, 11, 24, 10, 15, 0, 123_000, tzinfo=UTC)}


def with_doc(doc: Any) -> dict[str, Any]:
    return {**EVENT, "_doc": doc}


def restored(columns: dict[str, Any]) -> bytes:
    """The record as sent, from the three columns that keep it."""
    rest = columns["_rest"].encode()
    if columns.get("_doc") is None:
        return rest
    at = columns["_doc_at"]
    return rest[:at] + columns["_doc"].encode() + rest[at + 4 :]


def test_the_smallest_event_has_its_identity_its_time_and_where_it_came_from() -> None:
    body = json.dumps(EVENT).encode()
    assert row(body, envelope={"project": "shop", "path": "/v1/events"}) == {
        "event_key": event_key("native", "shop", "e1", body),
        "event_id": "e1",
        "event_type": "page_view",
        "event_name": "page_view",
        "event_time": datetime(2026, 11, 24, 10, 15, 0, 123_000, tzinfo=UTC),
        "event_day": date(2026, 11, 24),
        "received_at": NOON,
        "user_id": "user_17",
        "source": "api",
        "source_position": f"{STREAM}/1",
        "format": "native",
        "project": "shop",
        "quality_flags": [],
        "envelope": '{"project": "shop", "path": "/v1/events"}',
        "_rest": body.decode(),
    }


@pytest.mark.parametrize("contract", [EVENTS, GROWN], ids=["as it comes", "with evolved columns"])
def test_every_column_is_filled_from_its_path(contract: Any) -> None:
    left_out = {"event_name", "_doc", "page_url", "page_url_host"}  # a url is text or an object
    fields = [field for field in contract.sent_fields if field.name not in left_out]
    record: dict[str, Any] = dict(EVENT)
    for field in fields:
        node = record
        for step in field.path[:-1]:
            node = node.setdefault(step, {})
        node[field.path[-1]] = SAMPLES[field.type]
    columns = row(record, contract=contract)
    assert columns["quality_flags"] == []
    assert {f.name: columns[f.name] for f in fields} == {f.name: VALUES[f.type] for f in fields}


@pytest.mark.parametrize(
    ("doc", "flags"),
    [
        ({"page": {"url": 5}}, ["wrong_type:page_url"]),
        ({"session_info": []}, ["wrong_type:session_info"]),
        ({"engagement": {"interactions": 12.0}}, ["wrong_type:engagement_interactions"]),
        ({"engagement": {"interactions": "12"}}, ["wrong_type:engagement_interactions"]),
        ({"engagement": {"interactions": True}}, ["wrong_type:engagement_interactions"]),
        ({"engagement": {"interactions": 2**63}}, ["wrong_type:engagement_interactions"]),
        ({"order": {"total": "9.99"}}, ["wrong_type:order_total"]),
        ({"order": {"total": False}}, ["wrong_type:order_total"]),
        ({"session_info": {"is_new_session": 1}}, ["wrong_type:session_info_is_new_session"]),
        ({"page": {"url": "a\0b"}}, ["replaced_text:page_url"]),
        ({"page": {"url": "\ud800"}}, ["replaced_text:page_url"]),
        ({"traits": 5}, ["wrong_type:traits"]),
        (5, ["wrong_type:_doc"]),
        ([], ["wrong_type:_doc"]),
        (None, []),
        ({}, []),
        ({"page": None, "order": {"total": None}}, []),
    ],
)
def test_a_wrong_type_costs_the_column_not_the_event(doc: Any, flags: list[str]) -> None:
    columns = row(with_doc(doc))
    assert columns["quality_flags"] == flags
    assert columns["_doc"] == json.dumps(doc)


def test_whole_numbers_are_numbers_also_where_the_column_holds_fractions() -> None:
    columns = row(with_doc({"order": {"total": 12, "tax": 2**64, "shipping": -0.0}}))
    assert (columns["order_total"], columns["order_tax"]) == (12.0, float(2**64))
    assert columns["quality_flags"] == []


@pytest.mark.parametrize("number", [b"1e400", b"-1e400", b"9" * 400])
def test_a_number_that_is_not_finite_is_no_number(number: bytes) -> None:
    body = json.dumps(with_doc({"order": {"total": "@"}})).encode().replace(b'"@"', number)
    columns = row(body)
    assert columns["quality_flags"] == ["wrong_type:order_total"]
    assert number.decode() in columns["_doc"]


def test_text_that_no_column_can_hold_stays_in_doc_as_it_was_sent() -> None:
    body = rb'{"event_id":"a\u0000","event_type":"t\ud800","user_id":"u","timestamp":1795514400}'
    columns = row(body)
    assert (columns["event_id"], columns["event_name"]) == ("a�", "t�")
    assert columns["quality_flags"] == [
        "replaced_text:event_id",
        "replaced_text:event_name",
        "unknown_type",
    ]
    assert columns["_rest"].encode() == body


def test_of_duplicate_keys_the_last_wins_at_every_depth() -> None:
    body = (
        b'{"event_id":"x","event_type":"click","user_id":7,"timestamp":1795514400,"event_id":"y",'
        b'"_doc":{"page":{"url":"first"}},"user_id":"u",'
        b'"_doc":{"page":{"url":"a","url":"b"},"page":{"path":"/p"}}}'
    )
    columns = row(body)
    assert (columns["event_id"], columns["user_id"]) == ("y", "u")
    assert (columns.get("page_url"), columns["page_path"]) == (None, "/p")
    assert columns["_doc"] == '{"page":{"url":"a","url":"b"},"page":{"path":"/p"}}'
    assert restored(columns) == body


@pytest.mark.parametrize(
    "body",
    [
        b'{"_doc":{},"event_id":"a","event_type":"t","user_id":"u","timestamp":1795514400}',
        b'{"metadata":{},"event_id":"a","event_type":"t","user_id":"u","timestamp":1795514400,"_doc":{}}',
        b' {\n"_doc" :\t{"a" : [1, 2]} ,"event_id":"\xc3\xbc","event_type":"t","user_id":"u",'
        b'"timestamp":1795514400}\r\n',
        b'{"event_id":"\xf0\x9f\x98\x80","event_type":"t","user_id":"u","timestamp":1795514400,'
        b'"\\u005fdoc":{"page":{"title":"\xe6\x97\xa5"}}}',
        b'{"event_id":"a","event_type":"t","user_id":"u","timestamp":1795514400,"_doc":"text"}',
        b'{"event_id":"a","event_type":"t","user_id":"u","timestamp":1795514400,"_doc":null}',
        b'{"event_id":"a","event_type":"t","user_id":"u","timestamp":1795514400,"x":{"_doc":1}}',
        b'{"event_id":"\\"_doc\\":","event_type":"t","user_id":"u","timestamp":1795514400,"_doc":{}}',
    ],
)
def test_the_record_can_be_put_together_again_byte_for_byte(body: bytes) -> None:
    columns = row(body)
    assert restored(columns) == body
    record = json.loads(body)
    assert json.loads(columns["_rest"]) == record | ({"_doc": None} if "_doc" in record else {})


@settings(max_examples=200, deadline=None)
@given(
    st.dictionaries(st.text(max_size=5), st.text(max_size=5) | st.integers(), max_size=3),
    st.recursive(st.text(max_size=5), lambda inner: st.dictionaries(st.text(max_size=3), inner)),
    st.sampled_from([None, 1, " "]),
    st.booleans(),
    st.integers(0, 4),
)
def test_any_record_can_be_put_together_again_byte_for_byte(
    extra: dict[str, Any], doc: Any, indent: Any, ascii_only: bool, place: int
) -> None:
    members = [*EVENT.items(), *((f"x{name}", value) for name, value in extra.items())]
    members.insert(place, ("_doc", doc))
    body = json.dumps(dict(members), indent=indent, ensure_ascii=ascii_only).encode()
    columns = row(body)
    assert restored(columns) == body
    assert json.loads(columns["_doc"]) == doc
    assert json.loads(columns["_rest"]) == {**dict(members), "_doc": None}


PRODUCT = {"product_id": "p1", "sku": "s", "name": "Schuh", "category": "c", "price": 9.5}
ITEM = {**PRODUCT, "quantity": 2}


@pytest.mark.parametrize(
    ("doc", "items", "flags"),
    [
        ({"product": {**ITEM, "color": "red"}}, [ITEM], []),
        ({"product": PRODUCT}, [{**PRODUCT, "quantity": None}], []),
        ({"cart": {"items": [ITEM, ITEM]}, "product": PRODUCT}, [ITEM, ITEM], []),
        ({"order": {"items": [ITEM]}, "cart": {"items": []}}, [ITEM], []),
        ({"order": {"items": []}}, [], []),
        ({"order": {"items": None}, "product": ITEM}, [ITEM], []),
        ({"order": {"items": {}}}, None, ["wrong_type:items"]),
        ({"product": [ITEM]}, None, ["wrong_type:items"]),
        ({"cart": {"items": [ITEM, 5]}}, [ITEM], ["wrong_type:items"]),
        (
            {"product": {**ITEM, "quantity": 2.0, "price": "9"}},
            [{**ITEM, "quantity": None, "price": None}],
            ["wrong_type:items"],
        ),
        ({"product": {**ITEM, "name": "a\0"}}, [{**ITEM, "name": "a�"}], ["replaced_text:items"]),
        ({"cart": 5, "product": ITEM}, [ITEM], ["wrong_type:cart"]),
    ],
)
def test_products_become_one_canonical_list(doc: Any, items: Any, flags: list[str]) -> None:
    columns = row(with_doc(doc))
    assert (json.loads(columns["items"]) if "items" in columns else None) == items
    assert columns["quality_flags"] == flags


def test_traits_become_json_that_every_database_can_read() -> None:
    traits = {"plan": "pro", "a\0": ["\ud800", 1], "big": 2**70, "n": {"x": None}}
    columns = row(with_doc({"traits": traits}))
    assert (
        columns["traits"]
        == '{"plan":"pro","a�":["�",1],"big":1.1805916207174113e21,"n":{"x":null}}'
    )
    assert columns["quality_flags"] == ["replaced_text:traits"]


@pytest.mark.parametrize(
    ("number", "written"),
    [
        (2**63 - 1, "9223372036854775807"),
        (2**63, "9.223372036854776e18"),
        (2**64, "1.8446744073709552e19"),
    ],
)
def test_integers_beyond_64_bits_become_fractions_in_traits(number: int, written: str) -> None:
    assert row(with_doc({"traits": {"n": number}}))["traits"] == f'{{"n":{written}}}'


def test_an_anonymous_user_is_enough_and_an_empty_id_names_nobody() -> None:
    columns = row({**EVENT, "user_id": "", "anonymous_id": "anon_1", "group_id": ""})
    assert columns["anonymous_id"] == "anon_1"
    assert "user_id" not in columns
    assert "group_id" not in columns


def test_a_user_of_a_wrong_type_beside_a_right_one_is_flagged() -> None:
    columns = row({**EVENT, "user_id": 17, "anonymous_id": "anon_1"})
    assert columns["quality_flags"] == ["wrong_type:user_id"]


def test_an_unknown_type_is_accepted_and_counted() -> None:
    columns = row({**EVENT, "event_type": "Quiz Finished"})
    assert (columns["event_type"], columns["event_name"]) == ("quiz_finished", "Quiz Finished")
    assert columns["quality_flags"] == ["unknown_type"]
