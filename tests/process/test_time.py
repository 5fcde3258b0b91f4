"""Times as clients write them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tidelake.event.contract import EVENTS
from tidelake.process import Rules, process
from tidelake.process.clock import instant
from tidelake.process.fast.times import instants

from .batches import EVENT, NOON, RULES, batch_of, body_of, row

SECOND = 1_000_000
QUARTER_PAST_TEN = int(datetime(2026, 11, 23, 10, 15, tzinfo=UTC).timestamp()) * SECOND
MIDNIGHT = int(datetime(2026, 11, 23, tzinfo=UTC).timestamp()) * SECOND


@pytest.mark.parametrize(
    ("written", "time"),
    [
        ("2026-11-23T10:15:00Z", QUARTER_PAST_TEN),
        ("2026-11-23T10:15:00", QUARTER_PAST_TEN),
        ("2026-11-23 10:15:00", QUARTER_PAST_TEN),
        ("2026-11-23t10:15:00z", QUARTER_PAST_TEN),
        ("2026-11-23T10:15Z", QUARTER_PAST_TEN),
        ("2026-11-23T10:15:00.123Z", QUARTER_PAST_TEN + 123_000),
        ("2026-11-23T10:15:00,5Z", QUARTER_PAST_TEN + 500_000),
        ("2026-11-23T10:15:00.1234567899Z", QUARTER_PAST_TEN + 123_456),
        ("2026-11-23T12:15:00+02:00", QUARTER_PAST_TEN),
        ("2026-11-23T12:15:00+0200", QUARTER_PAST_TEN),
        ("2026-11-23T12:15:00+02", QUARTER_PAST_TEN),
        ("2026-11-22T16:15:00-18:00", QUARTER_PAST_TEN),
        ("2026-11-23T10:15:00-00:00", QUARTER_PAST_TEN),
        ("20261123T101500Z", QUARTER_PAST_TEN),
        ("20261123T121500+0200", QUARTER_PAST_TEN),
        ("2026-11-23", MIDNIGHT),
        ("2026-11-22T24:00:00Z", MIDNIGHT),
        ("2026-11-22T23:59:60Z", MIDNIGHT),
        (QUARTER_PAST_TEN // SECOND, QUARTER_PAST_TEN),
        (QUARTER_PAST_TEN // SECOND + 0.25, QUARTER_PAST_TEN + 250_000),
        (QUARTER_PAST_TEN // 1000, QUARTER_PAST_TEN),
        (QUARTER_PAST_TEN / 1000 + 0.5, QUARTER_PAST_TEN + 500),
        (1.7954e9, 1_795_400_000 * SECOND),
        (0, 0),
        (10**11 - 1, (10**11 - 1) * SECOND),
        (10**11, 10**11 * 1000),
    ],
)
def test_a_time_is_read(written: Any, time: int) -> None:
    assert instant(written) == time


@pytest.mark.parametrize(
    "written",
    [
        "",
        "now",
        "20261123",
        "1795514400",
        "2026-11-23T10:15:00Z ",
        " 2026-11-23T10:15:00Z",
        "2026-11-23T10:15:00.Z",
        "2026-11-23T10Z",
        "2026-11-23Z",
        "2026-11-23T24:00:01Z",
        "2026-11-23T25:00:00Z",
        "2026-11-23T10:60:00Z",
        "2026-11-23T10:15:61Z",
        "2026-11-23T10:15:00+18:01",
        "2026-11-23T10:15:00+02:60",
        "2026-11-23T10:15:00 +02:00",
        "2026-13-01T00:00:00Z",
        "2026-02-29T00:00:00Z",
        "0000-01-01T00:00:00Z",
        "12026-01-01T00:00:00Z",
        "26-11-23",
        "23/11/2026",
        "\uff12026-11-23",
        "2026-W48-1",
        "2026-327",
        -1,
        -0.5,
        10**14,
        10**30,
        float("inf"),
        float("nan"),
        True,
        None,
        [],
        {},
    ],
)
def test_what_is_no_time_is_not_read(written: Any) -> None:
    assert instant(written) is None


ISO = st.datetimes(min_value=datetime(1, 1, 2)).map(lambda time: time.isoformat() + "Z")
NEARLY = st.from_regex(r"\A[0-2]\d{3}-[01]\d-[0-3]\dT[0-2]\d:[0-6]\d:[0-6]\d(\.\d{1,7})?Z?\Z")


@settings(deadline=None)
@given(st.lists(st.none() | ISO | NEARLY | st.floats() | st.integers(), max_size=4))
def test_many_times_are_read_as_each_of_them(written: list[Any]) -> None:
    assert instants(written).to_pylist() == [instant(one) for one in written]


@settings(deadline=None)
@given(st.lists(ISO | NEARLY, min_size=1, max_size=4))
@example(["2026-11-23T10:15:00.25"])
def test_many_texts_are_read_as_each_of_them(written: list[str]) -> None:
    assert instants(written).to_pylist() == [instant(one) for one in written]


@pytest.mark.parametrize(
    ("distance", "reason"),
    [
        (timedelta(hours=24), None),
        (timedelta(hours=24, microseconds=1), "too_late"),
        (timedelta(days=-1098), None),
        (timedelta(days=-1098, microseconds=-1), "too_early"),
    ],
)
def test_a_time_is_judged_by_its_distance_from_the_receipt(
    distance: timedelta, reason: str | None
) -> None:
    time = (NOON + distance).isoformat(timespec="microseconds")
    done = process(batch_of([body_of({**EVENT, "timestamp": time})]), EVENTS, RULES)
    assert done.rejected["reason"].to_pylist() == ([reason] if reason else [])


def test_the_distances_are_rules() -> None:
    old = batch_of([body_of({**EVENT, "timestamp": "2003-01-01"})])
    rules = Rules(max_age=30 * 365 * 86_400 * SECOND)
    assert process(old, EVENTS, rules).events.num_rows == 1


def test_a_replay_of_an_old_record_judges_as_it_did_then() -> None:
    then = datetime(2005, 1, 2, tzinfo=UTC)
    columns = row({**EVENT, "timestamp": "2005-01-01T23:30:00-01:00"}, received_at=then)
    assert columns["event_day"] == date(2005, 1, 2)
    assert columns["event_time"] == datetime(2005, 1, 2, 0, 30, tzinfo=UTC)
