"""Same seed, same bytes; as many lines as asked for, when asked for."""

from __future__ import annotations

import gzip
import json
import re
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

import pytest
from tests.generate.fortnight import END, FORTNIGHT, START, Questions, lines_of

from tidelake.errors import UsageError
from tidelake.generate import GeneratorSpec, Tally, generate, live, spread_bad

SMALL = replace(FORTNIGHT, count=20_000, users=2000)


class SteppingClock:
    """A clock that moves only when somebody sleeps, or when it is read by a slow reader."""

    def __init__(self, now: float, seconds_a_read: float = 0.0) -> None:
        self._now = now
        self._step = seconds_a_read

    def now(self) -> float:
        self._now += self._step
        return self._now

    def sleep(self, seconds: float) -> None:
        self._now += seconds


def _time(line: bytes) -> str:
    return str(json.loads(line)["timestamp"])


def test_the_same_spec_gives_the_same_bytes() -> None:
    spec = replace(SMALL, bad=spread_bad(0.02), repeat=0.02)

    assert lines_of(spec) == lines_of(spec)


@pytest.mark.parametrize("change", [{"seed": 4}, {"users": 2001}, {"end": END - timedelta(days=1)}])
def test_another_seed_crowd_or_time_gives_other_events(change: dict[str, object]) -> None:
    first, other = lines_of(SMALL, count=50), lines_of(SMALL, count=50, **change)

    assert not set(first) & set(other)


@pytest.mark.parametrize("count", [0, 1, 2, 999, 8192, 8193, 20_000])
@pytest.mark.parametrize("repeat", [0.0, 0.1])
def test_the_count_is_met_exactly(count: int, repeat: float) -> None:
    tally = Tally()
    lines = 0
    for chunk in generate(replace(SMALL, count=count, repeat=repeat)):
        tally.add(chunk.tally)
        lines += chunk.lines().count(b"\n")
        assert len(chunk) == chunk.tally.sent

    assert lines == tally.sent == count
    assert tally.repeats == round(count * repeat)


def test_events_lie_between_start_and_end_in_order_of_time() -> None:
    times = [_time(line) for line in lines_of(SMALL)]

    assert times == sorted(times)
    assert times[0] >= "2026-11-02T00:00:00.000Z"
    assert times[-1] < "2026-11-16T00:00:00.000Z"


def test_events_fill_the_whole_time(fortnight: Questions) -> None:
    ((first, last),) = fortnight.rows("select min(time), max(time) from events")
    days = fortnight.rows("select count(*) from events group by time::date")

    assert first - START.replace(tzinfo=None) < timedelta(minutes=30)
    assert END.replace(tzinfo=None) - last < timedelta(minutes=30)
    assert len(days) == 14
    assert min(days)[0] > 0.6 * max(days)[0]


def test_few_events_are_spread_over_the_time_too() -> None:
    days = {_time(line)[:10] for seed in range(8) for line in lines_of(SMALL, count=40, seed=seed)}
    last = [_time(lines_of(SMALL, count=40, seed=seed)[-1]) for seed in range(8)]

    assert len(days) == 14
    assert sum(time >= "2026-11-12" for time in last) >= 6


def test_the_first_hour_looks_like_the_others(fortnight: Questions) -> None:
    """Sessions were under way before the start: the share of first events is even throughout."""
    ((early, all_through),) = fortnight.rows(
        "select avg(session.is_new_session::int) filter (line <= 2000),"
        " avg(session.is_new_session::int) from events"
    )

    assert abs(early - all_through) < 0.04


def test_a_dense_hour_is_as_orderly_as_a_fortnight() -> None:
    lines = lines_of(SMALL, start=END - timedelta(hours=1), count=50_000)
    times = [_time(line) for line in lines[::25]]

    assert len(lines) == 50_000
    assert times == sorted(times)


def test_ids_are_random_uuids_and_none_comes_twice() -> None:
    ids = [json.loads(line)["event_id"] for line in lines_of(SMALL)]
    uuid = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")

    assert len(set(ids)) == len(ids)
    assert all(uuid.fullmatch(id) for id in ids)
    digits = Counter("".join(id[:8] for id in ids))
    assert max(digits.values()) < 1.05 * min(digits.values())


def test_an_event_has_the_shape_of_the_contract() -> None:
    members = {
        "session_info": "session_id duration pages_visited entry_page exit_page referrer"
        " is_new_session",
        "location": "country region city ip_address isp connection_type",
        "engagement": "scroll_depth time_on_page interactions form_submissions video_views"
        " downloads",
        "performance": "network_latency first_contentful_paint dom_interactive page_load_time",
    }
    for line in lines_of(SMALL, count=500):
        record = json.loads(line)
        assert set(record) - {"user_id", "anonymous_id"} == {
            *("event_id", "event_type", "timestamp", "metadata", "_doc")
        }
        assert list(record["metadata"]) == ["browser", "os", "device"]
        for block, names in members.items():
            assert list(record["_doc"][block]) == names.split()


def test_a_line_is_about_a_kilobyte_and_a_third(fortnight_file: Path) -> None:
    size = fortnight_file.stat().st_size / FORTNIGHT.count

    assert 1100 < size < 1400


@pytest.mark.parametrize("count", [20_000, 200_000])
def test_the_text_is_not_easier_to_compress_than_real_events(count: int) -> None:
    """At most 8:1 by gzip -6, so that stored bytes are not the generator's doing."""
    chunks = generate(GeneratorSpec(count=count, start=START, end=END))
    text = b"".join(chunk.lines() for chunk in islice(chunks, 2))

    assert 4 < len(text) / len(gzip.compress(text, 6)) <= 8


def test_a_corpus_has_thousands_of_user_agents_and_users() -> None:
    """Of the default 50,000 users and 3,000 user agents, what 200,000 events show."""
    agents: set[bytes] = set()
    users: set[bytes] = set()
    user_agent = re.compile(rb'"string":"([^"]*)"')
    user = re.compile(rb'"(?:user_id|anonymous_id)":"([^"]*)"')
    for chunk in generate(GeneratorSpec(count=200_000, start=START, end=END)):
        text = chunk.lines()
        agents.update(user_agent.findall(text))
        users.update(user.findall(text))

    assert GeneratorSpec().users >= 50_000
    assert len(agents) >= 2000
    assert len(users) >= 15_000


def test_a_chunk_gives_its_lines_as_records() -> None:
    for chunk in generate(replace(SMALL, count=9000, bad=spread_bad(0.1), repeat=0.1)):
        assert chunk.records.to_pylist() == chunk.lines().split(b"\n")[:-1]
        assert bytes(chunk.part(3, 5)) == b"".join(
            line + b"\n" for line in chunk.records.to_pylist()[3:5]
        )


def test_repeats_are_byte_for_byte_earlier_good_lines_some_soon_some_later() -> None:
    spec = replace(SMALL, repeat=0.05, bad=spread_bad(0.05))
    good = set(lines_of(SMALL, count=20_000 - 1000))
    at: dict[bytes, int] = {}
    distances = []
    for number, line in enumerate(lines_of(spec)):
        if line in at and line in good:
            distances.append(number - at[line])
        at.setdefault(line, number)

    # A chosen line comes twice; none more often. Some bad lines are alike by chance: not counted.
    assert len(distances) == 1000
    assert sum(distance <= 50 for distance in distances) > 300
    assert sum(distance > 1000 for distance in distances) > 200


def test_live_events_come_at_the_rate_with_the_clock_s_time() -> None:
    now = datetime(2026, 11, 9, 12, tzinfo=UTC).timestamp()
    clock = SteppingClock(now)
    for second, chunks in enumerate(zip(*[live(SMALL, 1000, clock)] * 4, strict=True)):
        lines = [line for chunk in chunks for line in chunk.lines().splitlines()]
        times = [datetime.fromisoformat(_time(line)).timestamp() for line in lines]
        assert len(lines) == 1000
        assert clock.now() == pytest.approx(now + second + 1)
        assert all(-0.5 < time - now - second <= 1.0 for time in times)
        if second == 9:
            break


def test_live_traffic_is_in_full_swing_from_the_start() -> None:
    clock = SteppingClock(datetime(2026, 11, 9, 12, tzinfo=UTC).timestamp())
    lines = b"".join(chunk.lines() for chunk in live(SMALL, 2000, clock, lines=20_000)).splitlines()
    records = [json.loads(line) for line in lines]
    first = sum(record["_doc"]["session_info"]["is_new_session"] for record in records)

    assert len(records) == 20_000
    assert first / len(records) < 0.3
    assert sum(record["event_type"] == "purchase" for record in records) > 50


@pytest.mark.parametrize("rate", [0.5, 3, 70.5])
def test_slow_live_rates_hold_too(rate: float) -> None:
    clock = SteppingClock(1_780_000_000.0)
    stream = live(SMALL, rate, clock)
    lines = 0
    while lines < 60:
        lines += len(next(stream))

    assert lines / (clock.now() - 1_780_000_000.0) == pytest.approx(rate, rel=0.1)


def test_a_slow_reader_gets_what_it_missed() -> None:
    clock = SteppingClock(1_780_000_000.0, seconds_a_read=2.0)
    made = sum(len(chunk) for chunk in live(SMALL, 100, clock, lines=2000))

    assert made == 2000


def test_live_bad_records_and_repeats_have_their_share() -> None:
    spec = replace(SMALL, bad=spread_bad(0.012), repeat=0.01)
    clock = SteppingClock(1_780_000_000.0)
    tally = Tally()
    for chunk in live(spec, 5000, clock, lines=20_000):
        tally.add(chunk.tally)

    assert tally.sent == 20_000
    assert tally.repeats == 200
    assert tally.bad.total() == pytest.approx(240, abs=12)


@pytest.mark.parametrize(
    "wrong",
    [
        {"users": 0},
        {"count": -1},
        {"seed": -1},
        {"start": END, "end": START},
        {"start": START.replace(tzinfo=None)},
    ],
)
def test_a_spec_that_cannot_be_is_an_error(wrong: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        replace(FORTNIGHT, **wrong)  # type: ignore[arg-type]  # the point of the test


def test_a_live_rate_is_more_than_nothing() -> None:
    with pytest.raises(UsageError, match="rate"):
        next(live(SMALL, 0, SteppingClock(0.0)))
