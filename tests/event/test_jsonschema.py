"""The JSON Schema says what `process` accepts."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import jsonschema_rs
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tidelake.batch import RAW_SCHEMA, RawBatch
from tidelake.event.contract import EVENTS
from tidelake.event.schemas.jsonschema import json_schema
from tidelake.generate import FAULTS, GeneratorSpec, generate, spread_bad
from tidelake.process import Rules, process

SCHEMA = jsonschema_rs.validator_for(json_schema(EVENTS))
EVENT = {
    "event_id": "e1",
    "event_type": "click",
    "user_id": "u",
    "timestamp": "2026-11-24T10:15:00Z",
}
RECEIVED = datetime(2026, 11, 24, 12, tzinfo=UTC)
RULES = Rules()

# 12.0 is an integer to JSON Schema, and none to a column of integers.
NUMBERS = st.integers(-(2**65), 2**65) | st.floats(allow_nan=False, allow_infinity=False).filter(
    lambda number: not number.is_integer()
)
LEAVES = st.none() | st.booleans() | NUMBERS | st.text(alphabet="aé", max_size=2)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.just("price"), inner)
)
STEPS = sorted({field.path[-1] for field in EVENTS.sent_fields} | {"items", "price", "quantity"})
HOLDERS = sorted({field.path[1] for field in EVENTS.sent_fields if len(field.path) == 3})
DOCS = st.none() | st.dictionaries(
    st.sampled_from([*HOLDERS, "product", "cart", "traits"]),
    VALUES | st.dictionaries(st.sampled_from(STEPS), VALUES, max_size=3),
    max_size=3,
)
TOPS = st.dictionaries(
    st.sampled_from([*EVENT, "anonymous_id", "group_id", "metadata"]), VALUES, max_size=2
)


@settings(max_examples=400, deadline=None)
@given(TOPS, DOCS)
def test_what_is_valid_is_accepted_without_a_flag_and_what_is_not_is_not(
    top: dict[str, Any], doc: Any
) -> None:
    event = {**EVENT, **top, "_doc": doc}
    if isinstance(event["timestamp"], int | float | str) and event["timestamp"] is not True:
        event["timestamp"] = EVENT["timestamp"]  # JSON Schema does not know when it was received
    verdict = judged(json.dumps(event).encode())
    assert SCHEMA.is_valid(event) == (verdict in ("", "unknown_type")), verdict


def test_generated_events_are_valid_and_spoiled_ones_are_not() -> None:
    spec = GeneratorSpec(
        start=datetime(2026, 11, 20, tzinfo=UTC),
        end=datetime(2026, 11, 24, tzinfo=UTC),
        count=1200,
        bad=spread_bad(0.1),
    )
    bodies = [body for chunk in generate(spec) for body in chunk.records.to_pylist()]
    valid = [is_valid(body) for body in bodies]
    # A schema does not see times that are absurd, nor bytes.
    blind = {"bad_timestamp", "future_timestamp", "too_long_id"}
    assert 120 * (1 - len(blind) / len(FAULTS)) <= valid.count(False) <= 120


@pytest.mark.parametrize("unwanted", ["user_id", "event_id", "event_type", "timestamp"])
def test_what_every_event_needs_is_required(unwanted: str) -> None:
    assert SCHEMA.is_valid(EVENT)
    assert not SCHEMA.is_valid({name: EVENT[name] for name in EVENT if name != unwanted})


def is_valid(body: bytes) -> bool:
    try:
        return SCHEMA.is_valid(json.loads(body))
    except ValueError:
        return False


def judged(body: bytes) -> str:
    """Reason or flags of the record; empty where there is nothing to say."""
    row = [body, b"{}", RECEIVED, "api", "native"]
    columns = [pa.array([value], field.type) for value, field in zip(row, RAW_SCHEMA, strict=True)]
    records = pa.RecordBatch.from_arrays(columns, schema=RAW_SCHEMA)
    done = process(RawBatch.contiguous("file/x/0", 1, records), EVENTS, RULES)
    if done.rejected.num_rows:
        return str(done.rejected["reason"][0].as_py())
    return ",".join(done.events["quality_flags"][0].as_py())
