"""Reading: takes that end where they are asked to, readers beside a writer, recovery, retention."""

from __future__ import annotations

import asyncio
import os
import pickle
import threading
from collections.abc import Callable
from pathlib import Path

import pyarrow.compute as pc
import pytest

from tidelake.batch import Gap
from tidelake.errors import UsageError
from tidelake.files import Appender, Disk
from tidelake.inbox import Bounds, Inbox, LaneWriter, Records, SegmentLimits, verify
from tidelake.inbox.layout import LanePaths, lanes_folder, make_incarnation, read_incarnation
from tidelake.inbox.mark import Mark, MarkReader, MarkWriter
from tidelake.inbox.recovery import recover
from tidelake.inbox.segments import SegmentWriter

Claim = Callable[..., LaneWriter]
Request = Callable[..., Records]
Read = Callable[..., tuple[dict[int, bytes], list[Gap]]]


def fill(writer: LaneWriter, rows: int, a_frame: int = 5) -> dict[int, bytes]:
    """Frames of five rows; gives what was written."""
    written = {n: b"row %d" % n for n in range(1, rows + 1)}
    for first in range(1, rows + 1, a_frame):
        bodies = [written[n] for n in range(first, min(first + a_frame, rows + 1))]
        writer.append_and_wait(Records(bodies, b"{}", 0))
    return written


@pytest.mark.parametrize("after", [0, 3, 5, 12, 39, 40])
@pytest.mark.parametrize("until", [None, 5, 13, 40, 99])
def test_exactly_the_rows_asked_for_are_read_also_within_a_frame(
    after: int, until: int | None, claim: Claim, read: Read
) -> None:
    writer = claim(SegmentLimits(segment_bytes=900))
    written = fill(writer, 40)
    if until is not None and until < after:
        return

    rows, gaps = read(after, until, bounds=Bounds(max_bytes=1000))
    assert rows == {n: v for n, v in written.items() if after < n <= (until or 40)}
    assert gaps == []


@pytest.mark.parametrize("max_rows", [1, 4, 5, 1000])
@pytest.mark.parametrize("max_bytes", [1, 1500, 1 << 20])
def test_takes_are_bounded_and_hold_every_row_once(
    max_rows: int, max_bytes: int, home: Path, disk: Disk, claim: Claim, read: Read
) -> None:
    writer = claim(SegmentLimits(segment_bytes=3000))
    written = fill(writer, 60)

    takes = list(Inbox(home, disk).takes(writer.stream, 0, bounds=Bounds(max_bytes, max_rows)))
    assert all(take.last - take.first < max_rows for take in takes)
    assert all(take.size <= max_bytes or take.first == take.last for take in takes)
    assert read(bounds=Bounds(max_bytes, max_rows)) == (written, [])


def test_a_take_is_read_in_another_process_and_again_with_the_same_result(
    home: Path, disk: Disk, claim: Claim
) -> None:
    writer = claim()
    fill(writer, 20)
    take = next(Inbox(home, disk).takes(writer.stream, 3, 18))

    copy = pickle.loads(pickle.dumps(take))
    assert copy == take
    assert copy.read() == take.read() == copy.read()


def test_a_reader_beside_the_writer_sees_every_row_once_and_in_order(
    home: Path, disk: Disk, claim: Claim
) -> None:
    writer = claim(SegmentLimits(segment_bytes=5000))
    done = threading.Event()

    def write() -> None:
        fill(writer, 1500, a_frame=7)
        done.set()

    thread = threading.Thread(target=write)
    inbox, rows, polls = Inbox(home, disk), [], 0
    thread.start()
    while not done.is_set() or len(rows) < 1500:
        polls += 1
        for take in inbox.takes(writer.stream, len(rows), bounds=Bounds(max_bytes=3000)):
            batch = take.read()
            assert (batch.first, batch.gaps) == (len(rows) + 1, ())
            rows += batch.records["body"].to_pylist()
    thread.join()

    assert rows == [b"row %d" % n for n in range(1, 1501)]


def test_polling_reads_only_what_is_new(
    home: Path, disk: Disk, claim: Claim, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = claim()
    fill(writer, 3000)
    inbox = Inbox(home, disk)
    after = max(take.last for take in inbox.takes(writer.stream, 0))
    read_bytes, pread = [0], os.pread

    def counted(descriptor: int, size: int, offset: int) -> bytes:
        data = pread(descriptor, size, offset)
        read_bytes[0] += len(data)
        return data

    monkeypatch.setattr(os, "pread", counted)
    writer.append_and_wait(Records([b"new"], b"{}", 0))
    (take,) = inbox.takes(writer.stream, after)

    assert take.read().records["body"].to_pylist() == [b"new"]
    assert read_bytes[0] < 3000


def test_no_inbox_has_no_streams_and_an_unknown_stream_is_refused(home: Path, disk: Disk) -> None:
    inbox = Inbox(home, disk)

    assert (inbox.streams(), dict(inbox.marks()), inbox.lanes()) == ((), {}, [])
    assert (inbox.backlog_bytes(), inbox.sweep(0, 0)) == (0, 0)
    with pytest.raises(UsageError, match="no stream"):
        next(inbox.takes("inbox/x/0", 0))


def test_an_idle_lane_is_recovered_by_its_reader(
    home: Path, disk: Disk, claim: Claim, read: Read
) -> None:
    writer = claim()
    written = fill(writer, 10)
    writer.close()
    mark = LanePaths(home, read_incarnation(home, disk) or "", 0).running("mark")
    mark.unlink()
    inbox = Inbox(home, disk)
    assert inbox.marks() == {writer.stream: 0}

    inbox.recover()
    assert inbox.marks() == {writer.stream: 10}
    assert read() == (written, [])


def test_a_lane_that_is_being_written_is_not_recovered_by_others(
    home: Path, disk: Disk, claim: Claim
) -> None:
    writer = claim()
    fill(writer, 10)
    inbox = Inbox(home, disk)
    inbox.recover()
    fill(writer, 10)

    assert inbox.marks() == {writer.stream: 20}


class Watched(Disk):
    """Notes which file is synced; `skip` leaves a sync out."""

    def __init__(self, skip: str = "") -> None:
        super().__init__()
        self.skip = skip
        self.synced: list[str] = []

    def sync_file(self, path: Path, kind: str) -> None:
        if self.skip != f"{kind}/bytes":
            super().sync_file(path, kind)
            self.synced.append(path.name)


def recovered(home: Path, disk: Watched) -> list[str]:
    incarnation = read_incarnation(home, disk)
    assert incarnation
    assert recover(LanePaths(home, incarnation, 0), disk) == Mark(10, 1)
    return disk.synced


def test_what_a_dead_process_left_is_synced_before_it_is_told(home: Path, claim: Claim) -> None:
    writer = claim()
    fill(writer, 10)
    writer.close()
    complete = [f"{1:020d}-00000001.seg"]

    assert recovered(home, Watched()) == complete
    assert recovered(home, Watched(skip="inbox.recovery/bytes")) != complete


def test_a_torn_mark_is_not_believed(tmp_path: Path, disk: Disk) -> None:
    writer, reader = MarkWriter(disk, tmp_path / "mark"), MarkReader(tmp_path / "mark")
    assert reader.read() is None
    writer.publish(Mark(7, 1))
    assert reader.read() == Mark(7, 1)
    whole = (tmp_path / "mark").read_bytes()
    for torn in (whole[:9], b"\xff" + whole[1:], bytes(24), b""):
        (tmp_path / "mark").write_bytes(torn)
        assert reader.read() == Mark(7, 1)
        assert MarkReader(tmp_path / "mark").read() is None


def test_only_segments_that_are_released_and_old_are_swept(
    home: Path, disk: Disk, claim: Claim, read: Read
) -> None:
    writer = claim(SegmentLimits(segment_bytes=1))  # each frame is a segment
    written = fill(writer, 20)
    inbox = Inbox(home, disk)
    segments = sorted((lanes_folder(home) / "0").glob("*.seg"))
    for age, path in zip((900, 800, 700, 600), segments, strict=True):
        os.utime(path, (10_000 - age, 10_000 - age))

    assert inbox.sweep(now=10_000, keep_s=0) == 0
    inbox.release(writer.stream, 14)  # all of the first two segments, most of the third
    assert inbox.sweep(now=10_000, keep_s=850) > 0
    assert [p for p in segments if p.exists()] == segments[1:]
    inbox.release(writer.stream, 20)
    inbox.sweep(now=10_000, keep_s=0)
    assert [p for p in segments if p.exists()] == segments[3:]

    assert read(after=15) == ({n: v for n, v in written.items() if n > 15}, [])
    writer.close()
    assert claim().append_and_wait(Records([b"next"], b"{}", 0)) == (21, 21)


def test_the_backlog_is_what_the_lake_does_not_hold(home: Path, disk: Disk, claim: Claim) -> None:
    writer = claim(SegmentLimits(segment_bytes=1))
    for _ in range(4):
        writer.append_and_wait(Records([b"x" * 10_000] * 10, b"{}", 0))
    inbox = Inbox(home, disk)
    backlog = []
    for row in (0, 10, 15, 40):
        inbox.release(writer.stream, row)
        backlog.append(round(inbox.backlog_bytes() / 100_000))

    assert backlog in ([4, 3, 2, 0], [4, 3, 3, 0])


def test_two_readers_do_not_disturb_each_other(home: Path, disk: Disk, claim: Claim) -> None:
    writer = claim()
    fill(writer, 30)
    one, two = Inbox(home, disk), Inbox(home, disk)
    small = Bounds(max_bytes=500)

    for take_one, take_two in zip(
        one.takes(writer.stream, 0, bounds=small),
        two.takes(writer.stream, 0, bounds=small),
        strict=True,
    ):
        assert take_one.read() == take_two.read()


def test_a_frame_that_is_huge_once_expanded_is_read_in_bounded_takes(
    home: Path, disk: Disk
) -> None:
    paths = LanePaths(home, make_incarnation(home, disk), 0)
    disk.make_folder(paths.folder, "inbox.lane")
    writer = SegmentWriter(paths, disk, Mark(), SegmentLimits())
    envelope = b"e" * 21_500
    requests = [Records([b"1"] * 3100, envelope, 0)] * 36  # 0.8 MB stored, 2.4 GB expanded
    writer.append(requests)
    writer.close()
    inbox = Inbox(home, disk)
    takes = list(inbox.takes(paths.stream, 0, bounds=Bounds(max_bytes=16 << 20)))
    assert all(take.size <= 16 << 20 for take in takes)
    assert [take.first for take in takes[1:]] == [take.last + 1 for take in takes[:-1]]
    assert takes[-1].last == 36 * 3100

    for take in (takes[0], takes[70], takes[-1]):
        batch = take.read()
        assert (batch.first, batch.last, batch.gaps) == (take.first, take.last, ())
        assert batch.records.nbytes <= 16 << 20
        assert pc.unique(batch.records["envelope"]).to_pylist() == [envelope]
    unbounded = inbox.takes(paths.stream, 0, bounds=Bounds(max_bytes=1 << 40))
    assert all(take.size <= 1 << 30 for take in unbounded)
    (verified,) = verify(home, disk)
    assert (verified.rows, verified.findings) == (36 * 3100, ())


def test_takes_count_the_envelope_of_each_record_across_frames(
    home: Path, disk: Disk, claim: Claim, read: Read
) -> None:
    writer = claim()
    sizes = [(1, 10), (500, 20_000), (3, 300_000), (2000, 0), (1, 2_000_000), (70, 30_000)]
    for rows, envelope in sizes:
        writer.append_and_wait(Records([b"x"] * rows, b"e" * envelope, 0))
    bound = Bounds(max_bytes=1 << 20)

    for take in Inbox(home, disk).takes(writer.stream, 0, bounds=bound):
        assert take.size <= bound.max_bytes or take.first == take.last
        assert take.read().records.nbytes <= take.size
    rows, gaps = read(bounds=bound)
    assert (len(rows), gaps) == (sum(rows for rows, _ in sizes), [])


def test_requests_that_wait_share_a_frame_only_while_it_is_small_expanded(
    home: Path, disk: Disk, claim: Claim
) -> None:
    class Slow(Disk):
        """Opens the first segment once all requests wait."""

        def create(self, path: Path, kind: str) -> Appender:
            if kind == "inbox.segment":
                assert waiting.wait(10)
            return super().create(path, kind)

    waiting = threading.Event()
    writer = claim(SegmentLimits(frame_bytes=1 << 20), disk=Slow())
    request = Records([b"x"] * 100, b"e" * 8000, 0)  # 0.8 MB expanded: two fill a frame

    async def append() -> None:
        appends = [asyncio.ensure_future(writer.append(request)) for _ in range(9)]
        await asyncio.sleep(0)
        waiting.set()
        await asyncio.gather(*appends)

    asyncio.run(append())
    assert writer.rows == 900
    assert writer.frames >= 5
