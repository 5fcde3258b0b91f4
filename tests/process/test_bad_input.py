"""Bad input: a row of rejected_events with its reason, and neighbours that notice nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from tidelake.event.contract import EVENTS, REJECTED
from tidelake.event.schemas.arrow import arrow_schema
from tidelake.process import Rules, process

from .batches import EVENT, NOON, RULES, STREAM, batch_of, body_of, refusal


def event(**changed: Any) -> dict[str, Any]:
    return {name: value for name, value in {**EVENT, **changed}.items() if value is not ...}


NEST = b',"x":%s}'

BAD: dict[str, tuple[Any, str, str | None]] = {
    "empty": (b"", "not_json", None),
    "only spaces": (b" \r\n", "not_json", None),
    "no JSON": (b"<html>", "not_json", None),
    "cut": (body_of(EVENT)[:-5], "not_json", None),
    "trailing text": (body_of(EVENT) + b"{}", "not_json", None),
    "trailing comma": (body_of(EVENT)[:-1] + b",}", "not_json", None),
    "single quotes": (b"{'event_id':'a'}", "not_json", None),
    "NaN": (body_of(event(timestamp=float("nan"))), "not_json", None),
    "NaN in what no column reads": (body_of(event(x=float("inf"))), "not_json", None),
    "control character in text": (b'{"event_id":"a\x01"}', "not_json", None),
    "bad escape": (rb'{"event_id":"\q"}', "not_json", None),
    "leading zero": (b'{"x":01}', "not_json", None),
    "a NUL byte": (body_of(EVENT) + b"\0", "not_json", None),
    "a list": (b"[]", "not_an_object", None),
    "null": (b"null", "not_an_object", None),
    "text": (b'"event"', "not_an_object", None),
    "a huge number": (b"1" * 5000, "not_an_object", None),
    "broken UTF-8": (b'{"event_id":"\xff"}', "not_utf8", None),
    "overlong UTF-8": (b'{"event_id":"\xc0\x80"}', "not_utf8", None),
    "a surrogate in UTF-8": (b'{"event_id":"\xed\xa0\x80"}', "not_utf8", None),
    "Latin-1": ('{"event_id":"ü"}'.encode("latin-1"), "not_utf8", None),
    "UTF-8 with a byte order mark": (b"\xef\xbb\xbf" + body_of(EVENT), "byte_order_mark", None),
    "UTF-16": (body_of(EVENT).decode().encode("utf-16"), "byte_order_mark", None),
    "deep nesting": (body_of(EVENT)[:-1] + NEST % (b"[" * 128 + b"]" * 128), "too_deep", None),
    "deep objects": (
        body_of(EVENT)[:-1] + NEST % (b'{"x":' * 128 + b"1" + b"}" * 128),
        "too_deep",
        None,
    ),
    "deep nesting that never closes": (b"[" * 10_000, "too_deep", None),
    "100,000 levels": (b"[" * 100_000 + b"]" * 100_000, "too_large", None),
    "10 MB of text": (body_of(event(x="x" * 10_000_000)), "too_large", None),
    "no id": (event(event_id=...), "missing_field", "event_id"),
    "null id": (event(event_id=None), "missing_field", "event_id"),
    "empty id": (event(event_id=""), "missing_field", "event_id"),
    "number as id": (event(event_id=123456), "wrong_type", "event_id"),
    "id of 6,000 characters": (event(event_id="i" * 6000), "too_long", "event_id"),
    "id of 258 bytes": (event(event_id="é" * 129), "too_long", "event_id"),
    "user of 6,000 characters": (event(user_id="u" * 6000), "too_long", "user_id"),
    "group of 6,000 characters": (event(group_id="g" * 6000), "too_long", "group_id"),
    "no type": (event(event_type=...), "missing_field", "event_type"),
    "list as type": (event(event_type=["click"]), "wrong_type", "event_type"),
    "type of 6,000 characters": (event(event_type="t" * 6000), "too_long", "event_type"),
    "no user": (event(user_id=...), "missing_field", "user_id"),
    "empty user": (event(user_id="", anonymous_id=""), "missing_field", "user_id"),
    "number as user": (event(user_id=17), "wrong_type", "user_id"),
    "object as anonymous user": (
        event(user_id=None, anonymous_id={}),
        "wrong_type",
        "anonymous_id",
    ),
    "no time": (event(timestamp=...), "missing_field", "event_time"),
    "boolean as time": (event(timestamp=True), "wrong_type", "event_time"),
    "word as time": (event(timestamp="yesterday"), "bad_timestamp", "event_time"),
    "digits in text as time": (event(timestamp="1795514400"), "bad_timestamp", "event_time"),
    "empty time": (event(timestamp=""), "bad_timestamp", "event_time"),
    "negative time": (event(timestamp=-1), "bad_timestamp", "event_time"),
    "time beyond milliseconds": (event(timestamp=10**14), "bad_timestamp", "event_time"),
    "time beyond 64 bits": (event(timestamp=10**30), "bad_timestamp", "event_time"),
    "30th of February": (event(timestamp="2026-02-30T00:00:00Z"), "bad_timestamp", "event_time"),
    "year 0": (event(timestamp="0000-01-01T00:00:00Z"), "bad_timestamp", "event_time"),
    "year 1": (event(timestamp="0001-01-01T00:00:00Z"), "too_early", "event_time"),
    "year 9999": (event(timestamp="9999-12-31T23:59:59Z"), "too_late", "event_time"),
    "the epoch": (event(timestamp=0), "too_early", "event_time"),
}
CASES = pytest.mark.parametrize(("record", "reason", "field"), BAD.values(), ids=BAD)


@CASES
def test_a_bad_record_is_rejected_with_its_reason_and_field(
    record: Any, reason: str, field: str | None
) -> None:
    found = refusal(record)
    assert found[:2] == (reason, field)
    assert found[2]
    assert found[2].isascii()


def test_bad_records_never_cost_their_neighbours() -> None:
    bodies = []
    for record, _, _ in BAD.values():
        bodies += [body_of(record), body_of(event(event_id=f"after {len(bodies)}"))]
    done = process(batch_of(bodies), EVENTS, RULES)
    assert done.rejected["reason"].to_pylist() == [reason for _, reason, _ in BAD.values()]
    assert done.rejected["body"].to_pylist() == bodies[::2]
    places = [f"{STREAM}/{number}" for number in range(1, len(bodies) + 1)]
    assert done.rejected["source_position"].to_pylist() == places[::2]
    assert done.events["source_position"].to_pylist() == places[1::2]
    assert set(map(tuple, done.events["quality_flags"].to_pylist())) == {()}


def test_a_rejected_row_keeps_everything_that_came() -> None:
    envelope = {"project": "shop", "ip": "9.9.9.9"}
    done = process(batch_of([b"\xff"], envelope=envelope), EVENTS, RULES)
    assert done.rejected.schema.equals(arrow_schema(REJECTED), check_metadata=True)
    assert done.rejected.to_pylist() == [
        {
            "reason": "not_utf8",
            "field": None,
            "detail": "byte 0xff at offset 0 is not UTF-8",
            "body": b"\xff",
            "envelope": json.dumps(envelope),
            "source": "api",
            "source_position": f"{STREAM}/1",
            "format": "native",
            "project": "shop",
            "received_at": NOON,
            "records": 1,
        }
    ]


def test_depth_is_counted_to_128_and_brackets_in_text_do_not_count() -> None:
    deepest = b'{"x":' + b"[" * 127 + b"]" * 127 + b"," + body_of(event(y="[" * 500))[1:]
    done = process(batch_of([deepest]), EVENTS, RULES)
    assert done.events.num_rows == 1


def test_the_limit_of_one_event_is_a_rule() -> None:
    body = body_of(event(x="x" * 100_000))
    assert process(batch_of([body]), EVENTS, Rules(max_event_bytes=200_000)).events.num_rows == 1
    assert process(batch_of([body]), EVENTS, Rules(max_event_bytes=len(body) - 1)).rejected.num_rows


@pytest.mark.parametrize("envelope", [b"", b"{", b"\xff\x00", b"[]", b"null", b"[" * 100_000])
def test_an_envelope_that_is_no_object_costs_no_event(envelope: bytes) -> None:
    batch = batch_of([body_of(EVENT), b"{"])
    records = batch.records.set_column(1, "envelope", [envelope] * 2)
    done = process(replace(batch, records=records), EVENTS, RULES)
    assert (done.events.num_rows, done.rejected.num_rows) == (1, 1)
    assert "\0" not in (done.events["envelope"].to_pylist()[0] or "")
