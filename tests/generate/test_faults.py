"""Bad records are bad in the way that their name says, and nothing else is."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from tests.generate.fortnight import END, FORTNIGHT

from tidelake.batch import RAW_SCHEMA, RawBatch
from tidelake.errors import UsageError
from tidelake.event.contract import EVENTS
from tidelake.event.verdicts import Reason
from tidelake.generate import FAULTS, GeneratorSpec, Tally, draw, generate, spread_bad
from tidelake.process.rules import Rules
from tidelake.process.stage import process

SMALL = replace(FORTNIGHT, count=3000, users=500)
REASONS = {
    "not_json": {Reason.NOT_JSON},
    "truncated": {Reason.NOT_JSON},
    "missing_event_id": {Reason.MISSING_FIELD},
    "missing_event_type": {Reason.MISSING_FIELD},
    "missing_timestamp": {Reason.MISSING_FIELD},
    "missing_user": {Reason.MISSING_FIELD},
    "bad_timestamp": {Reason.BAD_TIMESTAMP, Reason.TOO_EARLY, Reason.TOO_LATE},
    "wrong_type": {Reason.WRONG_TYPE, Reason.BAD_TIMESTAMP},
    "invalid_utf8": {Reason.NOT_UTF8},
    "not_an_object": {Reason.NOT_AN_OBJECT},
    "future_timestamp": {Reason.TOO_LATE},
    "too_long_id": {Reason.TOO_LONG},
}


def _lines(spec: GeneratorSpec) -> tuple[list[bytes], Tally]:
    text, tally = b"", Tally()
    for chunk in generate(spec):
        text += chunk.lines()
        tally.add(chunk.tally)
    assert text.endswith(b"\n")
    return text[:-1].split(b"\n"), tally


def _processed(lines: list[bytes]) -> tuple[pa.Table, pa.Table]:
    """What the pipeline makes of the lines, received a day after the fortnight."""
    count = len(lines)
    columns = [
        pa.array(lines, pa.binary()),
        pa.array([b"{}"] * count, pa.binary()),
        pa.array([END + timedelta(days=1)] * count, pa.timestamp("us", tz="UTC")),
        pa.array(["file"] * count),
        pa.array(["native"] * count),
    ]
    records = pa.RecordBatch.from_arrays(columns, schema=RAW_SCHEMA)
    numbers = pa.array(range(1, count + 1), pa.int64())
    processed = process(RawBatch("file/a/0", 1, count, records, numbers), EVENTS, Rules())
    return processed.events, processed.rejected


def test_the_pipeline_takes_every_good_line_as_it_is() -> None:
    lines, _ = _lines(SMALL)

    events, rejected = _processed(lines)

    assert (events.num_rows, rejected.num_rows) == (3000, 0)
    flags = {flag for row in events["quality_flags"].to_pylist() for flag in row}
    assert flags == set()
    assert len(set(events["event_key"].to_pylist())) == 3000


@pytest.mark.parametrize("kind", sorted(FAULTS))
def test_the_pipeline_rejects_every_kind_for_its_reason(kind: str) -> None:
    lines, tally = _lines(replace(SMALL, bad={kind: 0.1}))

    events, rejected = _processed(lines)

    assert tally.bad == {kind: 300}
    assert rejected.num_rows == 300
    assert events.num_rows == 2700
    assert {Reason(reason) for reason in rejected["reason"].to_pylist()} <= REASONS[kind]


def test_there_are_reasons_for_every_kind_and_at_least_ten_kinds() -> None:
    assert set(REASONS) == set(FAULTS)
    assert len(FAULTS) >= 10


def test_bad_lines_do_not_change_their_neighbours() -> None:
    good, _ = _lines(SMALL)
    mixed, tally = _lines(replace(SMALL, bad=spread_bad(0.06)))

    changed = [(before, now) for before, now in zip(good, mixed, strict=True) if before != now]

    assert len(changed) == tally.bad.total() == 180
    assert set(tally.bad) == set(FAULTS)
    assert set(tally.bad.values()) == {15}


def test_no_bad_line_is_empty_or_two_lines() -> None:
    line = b"".join(chunk.lines() for chunk in generate(replace(SMALL, count=1)))[:-1]
    rng = draw.generator(1)

    for kind, fault in FAULTS.items():
        for _ in range(200):
            spoiled = fault(line, rng)
            assert spoiled.strip(), kind
            assert b"\n" not in spoiled, kind


def _one(kind: str, seed: int = 1) -> bytes:
    line = b"".join(chunk.lines() for chunk in generate(replace(SMALL, count=1)))[:-1]
    return FAULTS[kind](line, draw.generator(seed))


def _object(kind: str) -> dict[str, Any]:
    value = json.loads(_one(kind))
    assert isinstance(value, dict)
    return value


@pytest.mark.parametrize("kind", ["not_json", "truncated"])
def test_what_is_not_json_cannot_be_parsed(kind: str) -> None:
    with pytest.raises(json.JSONDecodeError):
        json.loads(_one(kind))


@pytest.mark.parametrize("field", ["event_id", "event_type", "timestamp"])
def test_a_missing_field_is_missing_or_null_and_all_else_is_there(field: str) -> None:
    record = _object(f"missing_{field}")

    assert record.get(field) is None
    assert set(record) | {field, "user_id", "anonymous_id"} == {
        *("event_id", "event_type", "timestamp", "user_id", "anonymous_id", "metadata", "_doc")
    }


def test_a_record_without_a_user_has_neither_id() -> None:
    assert not {"user_id", "anonymous_id"} & set(_object("missing_user"))


def test_broken_text_is_not_utf8() -> None:
    with pytest.raises(UnicodeDecodeError):
        _one("invalid_utf8").decode()


def test_a_wrong_clock_is_decades_ahead() -> None:
    time = datetime.fromisoformat(_object("future_timestamp")["timestamp"])

    assert time > datetime.now(UTC) + timedelta(days=365)


def test_a_long_id_is_over_the_limit_of_256_bytes() -> None:
    assert 300 <= len(_object("too_long_id")["event_id"]) <= 6000


def test_an_unknown_kind_is_an_error_that_names_the_kinds() -> None:
    with pytest.raises(UsageError, match=r"'not_jsn'[\s\S]*not_json"):
        GeneratorSpec(bad={"not_jsn": 0.1})


@pytest.mark.parametrize("bad", [{"not_json": -0.1}, {"not_json": 0.5, "truncated": 0.5}])
def test_impossible_shares_are_an_error(bad: dict[str, float]) -> None:
    with pytest.raises(UsageError, match="shares"):
        GeneratorSpec(bad=bad)
