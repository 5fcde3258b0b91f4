"""The ingest loop takes in order, commits in order, and forgets only what is committed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field

import pyarrow as pa
import pytest

from tidelake.batch import RAW_SCHEMA, RawBatch
from tidelake.errors import FailedTakeError, FencedError, UnavailableError
from tidelake.lake.commit import Committed
from tidelake.lake.tally import Tally
from tidelake.lake.writer import StoredRange
from tidelake.pipeline.loop import FULL_RECORDS, Loop, Pace

LANE = "inbox/i/0"
PACE = Pace(busy_s=1, quiet_s=5, takes_at_once=4)


@dataclass(frozen=True)
class Numbers:
    """A take of nothing but numbers."""

    stream: str
    first: int
    last: int
    size: int = 1

    def read(self) -> RawBatch:
        return RawBatch(
            self.stream,
            self.first,
            self.last,
            pa.RecordBatch.from_pylist([], RAW_SCHEMA),
            pa.array([], pa.int64()),
        )


@dataclass
class Rows:
    """A source that holds `ends[stream]` records and hands them out `cut` at a time."""

    ends: dict[str, int]
    cut: int = 10_000
    released: list[tuple[str, int]] = field(default_factory=list)

    def accepted(self) -> Mapping[str, int]:
        return dict(self.ends)

    def takes(self, stream: str, after: int, until: int | None = None) -> Iterator[Numbers]:
        end = min(until or self.ends[stream], self.ends[stream])
        while after < end:
            last = min(after + self.cut, end)
            yield Numbers(stream, after + 1, last)
            after = last

    def release(self, stream: str, row: int) -> None:
        self.released.append((stream, row))


@dataclass
class Book:
    """A lake that only writes down which ranges were committed."""

    start: dict[str, tuple[int, int]] = field(default_factory=dict)
    rejected: set[int] = field(default_factory=set)
    groups: list[list[tuple[str, int, int]]] = field(default_factory=list)
    trouble: Exception | None = None

    def start_positions(self) -> dict[str, tuple[int, int]]:
        return dict(self.start)

    def judged(self, stream: str, after: int, until: int) -> set[int]:
        return {number for number in self.rejected if after < number <= until}

    def commit(self, group: list[StoredRange]) -> Committed:
        if self.trouble:
            raise self.trouble
        self.groups.append([(one.stream, one.first, one.last) for one in group])
        ends = {one.stream: one.last for one in group}
        return Committed("0" * 32, 1, 1, 0, ends, Tally.of(group))


@dataclass
class ByHand:
    """Workers whose futures finish when a test says so."""

    started: list[tuple[Numbers, frozenset[int], Future[StoredRange]]] = field(default_factory=list)

    def submit(self, take: Numbers, judged: frozenset[int]) -> Future[StoredRange]:
        future: Future[StoredRange] = Future()
        self.started.append((take, judged, future))
        return future

    def finish(self, index: int) -> None:
        take, _, future = self.started[index]
        records = take.last - take.first + 1
        future.set_result(
            StoredRange(take.stream, take.first, take.last, (), records, {}, 0, records)
        )


@dataclass
class Clock:
    now: float = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def workers() -> ByHand:
    return ByHand()


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_ranges_are_committed_in_order_whatever_order_the_workers_finish_in(
    workers: ByHand, clock: Clock
) -> None:
    source, lake = Rows({LANE: 30_000}), Book()
    loop = Loop(source, lake, workers, PACE, clock)
    loop.turn()
    workers.finish(2)
    workers.finish(1)
    loop.turn()
    assert lake.groups == []

    workers.finish(0)
    loop.turn()

    assert lake.groups == [
        [(LANE, 1, 10_000), (LANE, 10_001, 20_000), (LANE, 20_001, 30_000)],
    ]
    assert source.released == [(LANE, 30_000)]


def test_nothing_is_released_where_the_commit_failed(workers: ByHand, clock: Clock) -> None:
    source, lake = Rows({LANE: 10}), Book(trouble=UnavailableError("the catalog is away"))
    loop = Loop(source, lake, workers, PACE, clock)
    loop.turn()
    workers.finish(0)

    with pytest.raises(UnavailableError):
        loop.turn()

    assert source.released == []


def test_a_fenced_commit_ends_the_loop(workers: ByHand, clock: Clock) -> None:
    loop = Loop(Rows({LANE: 10}), Book(trouble=FencedError("moved")), workers, PACE, clock)
    loop.turn()
    workers.finish(0)

    with pytest.raises(FencedError):
        loop.turn()


def test_no_more_takes_are_under_way_than_there_is_room_for(workers: ByHand, clock: Clock) -> None:
    loop = Loop(Rows({LANE: 1_000_000}), Book(), workers, PACE, clock)
    for _ in range(3):
        loop.turn()

    assert len(workers.started) == PACE.takes_at_once
    assert loop.progress.most_in_flight == 40_000


def test_the_first_record_after_a_silence_is_taken_at_once(workers: ByHand, clock: Clock) -> None:
    loop = Loop(Rows({LANE: 1}), Book(), workers, PACE, clock)

    assert loop.turn()


@pytest.mark.parametrize(("waiting", "patience"), [(1, 5), (1_000, 1), (FULL_RECORDS, 0)])
def test_low_traffic_waits_longer_for_a_commit_and_a_backlog_not_at_all(
    workers: ByHand, clock: Clock, waiting: int, patience: float
) -> None:
    source = Rows({LANE: 1})
    loop = Loop(source, Book(), workers, PACE, clock)
    loop.turn()
    workers.finish(0)
    loop.turn()

    source.ends[LANE] = 1 + waiting
    if patience:
        clock.now += patience - 0.1
        assert not loop.turn()
        clock.now += 0.2

    assert loop.turn()


def test_a_second_take_waits_for_company_while_the_first_is_under_way(
    workers: ByHand, clock: Clock
) -> None:
    source = Rows({LANE: 1_000})
    loop = Loop(source, Book(), workers, PACE, clock)
    loop.turn()
    source.ends[LANE] = 1_500

    loop.turn()

    assert len(workers.started) == 1


def test_records_that_an_earlier_run_rejected_are_handed_over_as_judged(
    workers: ByHand, clock: Clock
) -> None:
    lake = Book(start={LANE: (5, 15_000)}, rejected={3, 7, 15_000})
    loop = Loop(Rows({LANE: 30_000}), lake, workers, PACE, clock)
    loop.turn()

    assert [(take.first, judged) for take, judged, _ in workers.started] == [
        (6, frozenset({7, 15_000})),
        (10_006, frozenset({7, 15_000})),
        (20_006, frozenset()),
    ]


def test_a_stream_that_never_runs_dry_does_not_starve_the_others(
    workers: ByHand, clock: Clock
) -> None:
    other = "inbox/i/1"
    source = Rows({LANE: 10_000_000, other: 10_000_000})
    loop = Loop(source, Book(), workers, PACE, clock)
    for turn in range(6):
        loop.turn()
        workers.finish(turn)

    taken = [take.stream for take, *_ in workers.started]
    assert abs(taken.count(LANE) - taken.count(other)) <= 1


def test_what_an_earlier_run_committed_is_released_again(workers: ByHand, clock: Clock) -> None:
    """The note of it may be lost, and then a full inbox would never be emptied."""
    source = Rows({LANE: 10})
    Loop(source, Book(start={LANE: (10, 10)}), workers, PACE, clock).turn()

    assert source.released == [(LANE, 10)]


def test_a_worker_that_died_is_told_with_the_records_that_it_had(
    workers: ByHand, clock: Clock
) -> None:
    loop = Loop(Rows({LANE: 10}), Book(), workers, PACE, clock)
    loop.turn()
    workers.started[0][2].set_exception(MemoryError())

    with pytest.raises(FailedTakeError, match=r"records 1\.\.10 of inbox/i/0: MemoryError"):
        loop.turn()


def test_a_worker_that_failed_ends_the_loop_with_its_error(workers: ByHand, clock: Clock) -> None:
    loop = Loop(Rows({LANE: 10}), Book(), workers, PACE, clock)
    loop.turn()
    workers.started[0][2].set_exception(UnavailableError("the disk is away"))

    with pytest.raises(UnavailableError):
        loop.turn()


def test_draining_takes_and_commits_all_there_is(workers: ByHand, clock: Clock) -> None:
    source, lake = Rows({LANE: 1}), Book()
    loop = Loop(source, lake, workers, PACE, clock)
    loop.turn()
    workers.finish(0)
    loop.turn()
    source.ends[LANE] = 2
    loop.drain()
    assert not loop.idle

    loop.turn()
    workers.finish(1)
    loop.turn()

    assert loop.idle
    assert lake.groups[-1] == [(LANE, 2, 2)]


def test_also_while_draining_a_commit_waits_for_the_ranges_under_way(
    workers: ByHand, clock: Clock
) -> None:
    source, lake = Rows({LANE: 30_000}), Book()
    loop = Loop(source, lake, workers, PACE, clock)
    loop.drain()
    loop.turn()
    workers.finish(0)
    loop.turn()
    workers.finish(1)
    loop.turn()
    assert [len(group) for group in lake.groups] == [1]

    clock.now += PACE.busy_s
    loop.turn()
    assert [len(group) for group in lake.groups] == [1, 1]

    workers.finish(2)
    loop.turn()
    assert loop.idle


def test_what_comes_in_during_a_drain_is_left_for_the_next_start(
    workers: ByHand, clock: Clock
) -> None:
    source, lake = Rows({LANE: 3}), Book()
    loop = Loop(source, lake, workers, PACE, clock)
    loop.drain()
    loop.turn()
    source.ends[LANE] = 5
    workers.finish(0)
    loop.turn()

    assert loop.idle
    assert lake.groups == [[(LANE, 1, 3)]]
