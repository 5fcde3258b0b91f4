"""Appending: what an acknowledgement means, how requests share a sync, what trouble does."""

from __future__ import annotations

import asyncio
import errno
import os
import resource
import threading
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from tidelake.batch import RAW_SCHEMA
from tidelake.errors import DamagedError, OverloadedError, UnavailableError, UsageError
from tidelake.files import Appender, Bytes, Disk
from tidelake.files.trouble import ours
from tidelake.inbox import Inbox, InboxBound, LaneWriter, Records, SegmentLimits

Claim = Callable[..., LaneWriter]
Request = Callable[..., Records]
Read = Callable[..., tuple[dict[int, bytes], list[object]]]


def segments(home: Path, lane: int = 0) -> list[Path]:
    return sorted((home / "inbox" / "lanes" / str(lane)).glob("*.seg"))


def test_records_come_back_as_they_were_given(home: Path, disk: Disk, claim: Claim) -> None:
    writer = claim()
    bodies = [b"", b"\x00\xff", b'{"event_id":"a"}', b"x" * 300_000, "é\ud7ff".encode()]
    first = Records(bodies, b'{"ip":"::1"}', 1_764_000_000_123_456, "kinesis", "segment")
    rows = writer.append_and_wait(first)
    rows_then = writer.append_and_wait(Records([b"z"], b"", 5))

    (take,) = Inbox(home, disk).takes(writer.stream, 0)
    batch = take.read()
    assert (rows, rows_then) == ((1, 5), (6, 6))
    assert batch.records.schema == RAW_SCHEMA
    assert batch.records["body"].to_pylist() == [*bodies, b"z"]
    assert batch.records["envelope"].to_pylist() == [b'{"ip":"::1"}'] * 5 + [b""]
    assert batch.records["received_at"].cast("int64").to_pylist() == [1_764_000_000_123_456] * 5 + [
        5
    ]
    assert batch.records["source"].to_pylist() == ["kinesis"] * 5 + ["api"]
    assert batch.records["format"].to_pylist() == ["segment"] * 5 + ["native"]
    assert batch.numbers.to_pylist() == [1, 2, 3, 4, 5, 6]


def test_requests_at_the_same_time_share_frames_and_keep_their_order(
    claim: Claim, request_of: Request, read: Read
) -> None:
    writer = claim()

    async def client(name: int) -> list[tuple[int, tuple[int, int]]]:
        return [
            (n, await writer.append(request_of(b"%d.%d.a" % (name, n), b"%d.%d.b" % (name, n))))
            for n in range(20)
        ]

    async def clients() -> list[list[tuple[int, tuple[int, int]]]]:
        return await asyncio.gather(*map(client, range(25)))

    answers = asyncio.run(clients())
    rows, gaps = read()
    assert not gaps
    assert len(rows) == writer.rows == 1000
    for name, answered in enumerate(answers):
        assert [first for _, (first, _) in answered] == sorted(f for _, (f, _) in answered)
        for n, (first, last) in answered:
            assert (rows[first], rows[last]) == (b"%d.%d.a" % (name, n), b"%d.%d.b" % (name, n))
    assert writer.frames < 500


def test_a_client_that_went_away_disturbs_nobody(
    claim: Claim, request_of: Request, read: Read
) -> None:
    writer = claim()

    async def clients() -> None:
        gone = [asyncio.ensure_future(writer.append(request_of(b"gone"))) for _ in range(5)]
        await asyncio.sleep(0)
        for task in gone:
            task.cancel()
        await writer.append(request_of(b"here"))

    asyncio.run(clients())
    assert b"here" in read()[0].values()


def test_a_request_without_records_is_refused(claim: Claim, request_of: Request) -> None:
    with pytest.raises(UsageError):
        claim().append_and_wait(request_of())


def test_each_writer_has_a_lane_and_a_dead_one_s_lane_is_taken_again(
    home: Path, disk: Disk, request_of: Request
) -> None:
    one, two = LaneWriter.claim(home, disk), LaneWriter.claim(home, disk)
    one.append_and_wait(request_of(b"a", b"b"))
    two.append_and_wait(request_of(b"c"))
    assert [state.claimed for state in Inbox(home, disk).lanes()] == [True, True]
    one.close()
    three = LaneWriter.claim(home, disk)

    assert (one.stream[-2:], two.stream[-2:]) == ("/0", "/1")
    assert three.stream == one.stream
    assert three.append_and_wait(request_of(b"d")) == (3, 3)
    assert Inbox(home, disk).marks() == {one.stream: 3, two.stream: 1}
    two.close()
    three.close()


def test_a_start_never_appends_to_an_old_segment(
    home: Path, claim: Claim, request_of: Request, read: Read
) -> None:
    for n in range(3):
        writer = claim()
        writer.append_and_wait(request_of(b"%d" % n))
        writer.close()

    assert [path.name[18:] for path in segments(home)] == [
        "01-00000001.seg",
        "02-00000002.seg",
        "03-00000003.seg",
    ]
    assert read() == ({1: b"0", 2: b"1", 3: b"2"}, [])


def test_a_segment_is_left_when_it_is_full_or_old(
    home: Path, disk: Disk, request_of: Request, read: Read
) -> None:
    now = [0.0]
    limits = SegmentLimits(segment_bytes=2000, segment_age_s=60)
    writer = LaneWriter.claim(home, disk, limits, clock=lambda: now[0])
    writer.append_and_wait(request_of(b"x" * 2000))
    writer.append_and_wait(request_of(b"y"))
    now[0] = 59
    writer.append_and_wait(request_of(b"z"))
    assert len(segments(home)) == 2
    now[0] = 61
    writer.append_and_wait(request_of(b"w"))
    writer.close()

    assert len(segments(home)) == 3
    assert read()[0] == {1: b"x" * 2000, 2: b"y", 3: b"z", 4: b"w"}


def test_a_closed_writer_answers_that_it_is_closed(claim: Claim, request_of: Request) -> None:
    writer = claim()
    writer.close()

    with pytest.raises(UnavailableError, match="closed"):
        writer.append_and_wait(request_of(b"a"))


class Failing(Disk):
    """A disk that fails one operation as often as it is told to."""

    def __init__(self, operation: str, number: int) -> None:
        super().__init__()
        self.operation, self.number, self.left = operation, number, 0

    def trouble(self, operation: str, path: Path) -> None:
        if operation == self.operation and self.left:
            self.left -= 1
            raise ours(OSError(self.number, os.strerror(self.number)), operation, path)

    def create(self, path: Path, kind: str) -> Appender:
        self.trouble("create", path)
        return FailingAppender(super().create(path, kind), self)

    def sync_folder(self, path: Path, kind: str) -> None:
        self.trouble("sync_folder", path)
        super().sync_folder(path, kind)


class FailingAppender:
    def __init__(self, inner: Appender, disk: Failing) -> None:
        self.inner, self.disk, self.path = inner, disk, inner.path

    def write(self, *parts: Bytes) -> int:
        if len(parts) > 1:  # a frame; the segment's header is one part
            if self.disk.operation == "write" and self.disk.left:
                self.inner.write(parts[0], parts[1][: len(parts[1]) // 2])
            self.disk.trouble("write", self.path)
        return self.inner.write(*parts)

    def sync(self) -> None:
        self.disk.trouble("sync", self.path)
        self.inner.sync()

    def tell(self) -> int:
        return self.inner.tell()

    def close(self) -> None:
        self.inner.close()


@pytest.mark.parametrize("operation", ["create", "sync_folder", "write", "sync"])
@pytest.mark.parametrize(
    ("number", "kind"), [(errno.ENOSPC, OverloadedError), (errno.EIO, UnavailableError)]
)
@pytest.mark.parametrize("had_frames", [True, False])
def test_a_request_that_met_a_failing_disk_is_not_accepted_and_the_next_one_is(
    operation: str,
    number: int,
    kind: type[Exception],
    had_frames: bool,
    claim: Claim,
    request_of: Request,
    read: Read,
) -> None:
    disk = Failing(operation, number)
    writer = claim(SegmentLimits(segment_bytes=1), disk=disk)  # each frame is a segment
    before = {1: b"a"} if had_frames else {}
    if had_frames:
        writer.append_and_wait(request_of(b"a"))
    disk.left = 2
    for _ in range(2):
        with pytest.raises(kind):
            writer.append_and_wait(request_of(b"refused"))

    first, _ = writer.append_and_wait(request_of(b"b"))
    assert first == len(before) + 1
    assert read() == (before | {first: b"b"}, [])


def test_a_disk_that_is_really_full_refuses_and_what_was_accepted_stays(
    claim: Claim, request_of: Request, read: Read
) -> None:
    writer = claim()
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64 * 1024, before[1]))
    accepted: dict[int, bytes] = {}
    refused: list[str] = []
    try:
        for n in range(6):
            body = b"%d" % n * 25_000
            try:
                row, _ = writer.append_and_wait(request_of(body))
                accepted[row] = body
            except OverloadedError as full:
                refused.append(str(full))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)

    assert (len(refused), list(accepted)) == (2, [1, 2, 3, 4])
    assert all("the disk is full" in why for why in refused)
    assert read() == (accepted, [])


def test_rows_of_a_segment_that_was_given_up_are_never_read(
    home: Path, claim: Claim, request_of: Request, read: Read
) -> None:
    disk = Failing("sync", errno.EIO)
    writer = claim(disk=disk)
    writer.append_and_wait(request_of(b"a"))
    disk.left = 1
    with pytest.raises(UnavailableError):
        writer.append_and_wait(request_of(b"never", b"never"))
    assert read() == ({1: b"a"}, [])
    writer.append_and_wait(request_of(b"b"))
    writer.append_and_wait(request_of(b"c"))

    assert b"never" in segments(home)[0].read_bytes()
    assert read() == ({1: b"a", 2: b"b", 3: b"c"}, [])


def test_a_fault_reaches_the_caller_and_the_writer_goes_on(
    claim: Claim, request_of: Request
) -> None:
    writer = claim()

    with pytest.raises((TypeError, pa.ArrowException)):
        writer.append_and_wait(Records([b"a"], b"", "yesterday"))  # type: ignore[arg-type]
    assert writer.append_and_wait(request_of(b"a")) == (1, 1)


def test_more_waiting_bytes_than_may_wait_are_refused(claim: Claim, request_of: Request) -> None:
    held, go_on = threading.Event(), threading.Event()

    class Slow(Disk):
        def create(self, path: Path, kind: str) -> Appender:
            if kind == "inbox.segment":
                held.set()
                assert go_on.wait(30)
            return super().create(path, kind)

    writer = claim(SegmentLimits(waiting_bytes=1000), disk=Slow())
    first = threading.Thread(target=writer.append_and_wait, args=(request_of(b"x" * 500),))
    first.start()
    assert held.wait(30)
    with pytest.raises(OverloadedError) as told:
        writer.append_and_wait(request_of(b"y" * 500))
    go_on.set()
    first.join()

    assert told.value.retry_after >= 1
    assert writer.append_and_wait(request_of(b"y" * 500)) == (2, 2)


def test_an_inbox_that_was_moved_away_is_another_inbox(
    home: Path, disk: Disk, claim: Claim, request_of: Request
) -> None:
    writer = claim()
    writer.append_and_wait(request_of(b"a"))
    writer.close()
    (home / "inbox").rename(home / "old")
    again = claim()
    again.append_and_wait(request_of(b"b"))

    assert again.stream != writer.stream
    assert Inbox(home, disk).marks() == {again.stream: 1}


@pytest.mark.parametrize("content", ["", "zzz\n", None])
def test_lanes_without_a_readable_incarnation_stop_the_start(
    content: str | None, home: Path, claim: Claim, request_of: Request
) -> None:
    writer = claim()
    writer.append_and_wait(request_of(b"a"))
    writer.close()
    incarnation = home / "inbox" / "incarnation"
    incarnation.unlink() if content is None else incarnation.write_text(content)

    with pytest.raises(DamagedError, match="incarnation"):
        claim()


def test_the_bound_refuses_while_too_much_is_unread(
    home: Path, disk: Disk, claim: Claim, request_of: Request
) -> None:
    now = [0.0]
    writer = claim()
    bound = InboxBound(home, disk, max_bytes=10_000, min_free_bytes=0, clock=lambda: now[0])
    bound.check()
    writer.append_and_wait(request_of(b"x" * 20_000))
    bound.check()  # as it was found less than half a second ago
    now[0] += 1
    with pytest.raises(OverloadedError, match="for the lake"):
        bound.check()
    Inbox(home, disk).release(writer.stream, 1)
    now[0] += 1
    bound.check()


def test_the_bound_refuses_while_the_disk_is_nearly_full(home: Path, claim: Claim) -> None:
    class Full(Disk):
        def free_bytes(self, folder: Path) -> int:
            return 100

    claim()
    with pytest.raises(OverloadedError, match="100 bytes are free") as told:
        InboxBound(home, Full(), max_bytes=1 << 40, min_free_bytes=1000).check()
    assert told.value.retry_after == 30
