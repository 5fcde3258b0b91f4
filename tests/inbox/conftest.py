"""An inbox to write and read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tidelake.batch import Gap
from tidelake.files import Disk
from tidelake.inbox import DEFAULT_BOUNDS, Bounds, Inbox, LaneWriter, Records, SegmentLimits

RECEIVED_AT = 1_764_000_000_123_456


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def disk() -> Disk:
    return Disk()


Claim = Callable[..., LaneWriter]


@pytest.fixture
def claim(home: Path, disk: Disk) -> Iterator[Claim]:
    """Claims a lane; closed at the end."""
    claimed: list[LaneWriter] = []

    def claim(limits: SegmentLimits | None = None, disk: Disk = disk) -> LaneWriter:
        claimed.append(LaneWriter.claim(home, disk, limits))
        return claimed[-1]

    yield claim
    for writer in claimed:
        writer.close()


@pytest.fixture
def request_of() -> Callable[..., Records]:
    """A request with these bodies."""

    def request(*bodies: bytes, envelope: bytes = b'{"path":"/v1/events"}') -> Records:
        return Records(bodies, envelope, RECEIVED_AT)

    return request


Read = Callable[..., tuple[dict[int, bytes], list[Gap]]]


@pytest.fixture
def read(home: Path, disk: Disk) -> Read:
    """Every row of a stream by its number, and the gaps; each row in one of them, once."""

    def read(
        after: int = 0, until: int | None = None, lane: int = 0, bounds: Bounds = DEFAULT_BOUNDS
    ) -> tuple[dict[int, bytes], list[Gap]]:
        inbox = Inbox(home, disk)
        stream = inbox.streams()[lane]
        rows: dict[int, bytes] = {}
        gaps: list[Gap] = []
        due = after + 1
        for take in inbox.takes(stream, after, until, bounds):
            batch = take.read()
            assert (batch.stream, batch.first, take.first) == (stream, due, due)
            due = batch.last + 1
            numbers = batch.numbers.to_pylist()
            covered = numbers + [n for gap in batch.gaps for n in range(gap.first, gap.last + 1)]
            assert sorted(covered) == list(range(batch.first, batch.last + 1))
            assert numbers == sorted(numbers)
            rows |= dict(zip(numbers, batch.records["body"].to_pylist(), strict=True))
            gaps += batch.gaps
        mark = inbox.marks()[stream]
        assert due - 1 == (mark if until is None else min(mark, until))
        return rows, gaps

    return read
