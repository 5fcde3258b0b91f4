"""Damaged bytes: what is lost is named and counted, and nothing else is lost."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tidelake.batch import Gap
from tidelake.errors import DamagedError, IncompatibleError
from tidelake.files import Disk
from tidelake.inbox import Bounds, Finding, Frame, Inbox, LaneWriter, Records, SegmentLimits, verify
from tidelake.inbox.frame import FORMAT, HEADER_BYTES, SEGMENT_BYTES, frames, seed_of

Claim = Callable[..., LaneWriter]
Read = Callable[..., tuple[dict[int, bytes], list[Gap]]]
FRAMES, ROWS = 6, 10


def body(row: int) -> bytes:
    return b"row %d of the stream, padded" % row


def fill(writer: LaneWriter, count: int = FRAMES) -> None:
    for n in range(count):
        bodies = [body(row) for row in range(n * ROWS + 1, (n + 1) * ROWS + 1)]
        writer.append_and_wait(Records(bodies, b"{}", 0))


@pytest.fixture
def segment(home: Path, claim: Claim) -> Path:
    """A sealed segment of six frames of ten rows, followed by one with the rows 61..70."""
    writer = claim()
    fill(writer)
    writer.close()
    after = claim()
    after.append_and_wait(Records([body(row) for row in range(61, 71)], b"{}", 0))
    after.close()
    return sorted((home / "inbox" / "lanes" / "0").glob("*.seg"))[0]


def frames_of(segment: Path, stream: str) -> list[Frame]:
    data = segment.read_bytes()
    seed = seed_of(stream, segment.name)
    found = frames(lambda at, most: data[at : at + most], 0, len(data), seed)
    return [item for item in found if isinstance(item, Frame)]


@pytest.fixture
def stream(home: Path, segment: Path) -> str:
    return Inbox(home, Disk()).streams()[0]


@pytest.fixture
def spoil(segment: Path) -> Callable[[int, bytes], None]:
    def spoil(at: int, data: bytes) -> None:
        content = bytearray(segment.read_bytes())
        content[at : at + len(data)] = data
        segment.write_bytes(content)

    return spoil


Spoil = Callable[[int, bytes], None]


def expect_lost(read: Read, first: int, last: int, says: str) -> None:
    rows, gaps = read()
    assert [(gap.first, gap.last) for gap in gaps] == [(first, last)]
    assert says in gaps[0].detail
    assert rows == {row: body(row) for row in range(1, 71) if not first <= row <= last}


def test_without_damage_every_row_is_read(segment: Path, read: Read) -> None:
    assert read() == ({row: body(row) for row in range(1, 71)}, [])


def test_a_damaged_header_costs_its_frame(
    segment: Path, stream: str, spoil: Spoil, read: Read
) -> None:
    second = frames_of(segment, stream)[1]
    spoil(second.offset + 10, b"\xff")

    expect_lost(
        read, 11, 20, f"frame header is not valid at byte {second.offset} of {segment.name}"
    )


def test_a_damaged_payload_costs_its_frame(
    segment: Path, stream: str, spoil: Spoil, read: Read
) -> None:
    second = frames_of(segment, stream)[1]
    spoil(second.end - 5, b"\xff")

    expect_lost(read, 11, 20, f"payload check failed at byte {second.payload} of {segment.name}")


def test_zeros_in_place_of_frames_cost_those_frames(
    segment: Path, stream: str, spoil: Spoil, read: Read
) -> None:
    second, third = frames_of(segment, stream)[1:3]
    spoil(second.offset, bytes(third.end - second.offset))

    expect_lost(read, 11, 30, f"zeros where a frame header belongs at byte {second.offset}")


def test_a_damaged_segment_header_costs_nothing(
    home: Path, segment: Path, spoil: Spoil, read: Read
) -> None:
    spoil(0, bytes(SEGMENT_BYTES))

    assert read() == ({row: body(row) for row in range(1, 71)}, [])
    findings = [f for verified in verify(home, Disk()) for f in verified.findings]
    assert findings == [Finding(0, segment.name, "the segment's header is not valid")]


def test_a_sealed_segment_that_was_cut_costs_its_end(
    segment: Path, stream: str, read: Read
) -> None:
    fifth = frames_of(segment, stream)[4]
    segment.write_bytes(segment.read_bytes()[: fifth.end - 1])

    expect_lost(read, 41, 60, f"payload is cut short at byte {fifth.offset}")


def test_a_sealed_segment_that_was_cut_between_frames_costs_its_end(
    segment: Path, stream: str, read: Read
) -> None:
    segment.write_bytes(segment.read_bytes()[: frames_of(segment, stream)[3].end])

    expect_lost(read, 41, 60, "no frame holds them")


def test_swapped_frames_cost_what_is_out_of_order(segment: Path, stream: str, read: Read) -> None:
    data, (second, third) = segment.read_bytes(), frames_of(segment, stream)[1:3]
    swapped = data[third.offset : third.end] + data[second.offset : second.end]
    segment.write_bytes(data[: second.offset] + swapped + data[third.end :])

    expect_lost(read, 11, 20, "no frame holds them")


def test_a_frame_that_comes_twice_is_read_once(segment: Path, stream: str, read: Read) -> None:
    data, second = segment.read_bytes(), frames_of(segment, stream)[1]
    segment.write_bytes(data[: second.end] + data[second.offset :])

    assert read() == ({row: body(row) for row in range(1, 71)}, [])


def test_a_frame_of_another_segment_is_not_taken_for_one(
    home: Path, segment: Path, stream: str, read: Read
) -> None:
    other = sorted(segment.parent.glob("*.seg"))[1]
    moved = segment.read_bytes()[SEGMENT_BYTES:]
    other.write_bytes(other.read_bytes()[:SEGMENT_BYTES] + moved)

    expect_lost(read, 61, 70, "frame header is not valid")


def test_a_body_that_looks_like_a_frame_is_not_taken_for_one(
    home: Path, segment: Path, stream: str, claim: Claim, read: Read
) -> None:
    data, first = segment.read_bytes(), frames_of(segment, stream)[0]
    writer = claim()
    writer.append_and_wait(Records([data[first.offset : first.end]] * 3, b"{}", 0))
    writer.append_and_wait(Records([b"after"], b"{}", 0))
    writer.close()
    last = sorted(segment.parent.glob("*.seg"))[2]
    content = bytearray(last.read_bytes())
    content[SEGMENT_BYTES + 9] ^= 1
    last.write_bytes(content)

    rows, gaps = read(after=70)
    assert rows == {74: b"after"}
    assert [(gap.first, gap.last) for gap in gaps] == [(71, 73)]


def test_a_segment_that_is_gone_is_a_gap(segment: Path, read: Read) -> None:
    segment.unlink()

    expect_lost(read, 1, 60, "no segment holds them")


def test_a_segment_that_is_gone_in_the_middle_is_a_gap(
    segment: Path, claim: Claim, read: Read
) -> None:
    writer = claim()
    writer.append_and_wait(Records([b"later"], b"{}", 0))
    writer.close()
    sorted(segment.parent.glob("*.seg"))[1].unlink()

    rows, gaps = read()
    assert [(gap.first, gap.last) for gap in gaps] == [(61, 70)]
    assert rows == {row: body(row) for row in range(1, 61)} | {71: b"later"}


def test_a_segment_that_goes_between_take_and_read_is_a_gap(home: Path, segment: Path) -> None:
    inbox = Inbox(home, Disk())
    take = next(inbox.takes(inbox.streams()[0], 0))
    segment.unlink()

    batch = take.read()
    assert batch.gaps == (Gap(1, 60, f"the segment {segment.name} is gone"),)
    assert len(batch.records) == 0


def test_a_segment_that_goes_while_a_reader_follows_is_a_gap(
    home: Path, segment: Path, stream: str
) -> None:
    inbox = Inbox(home, Disk())
    assert list(inbox.takes(stream, 70)) == []
    next(inbox.takes(stream, 0))
    segment.unlink()

    gone, kept = (take.read() for take in inbox.takes(stream, 20))
    assert gone.gaps == (Gap(21, 60, "no segment holds them"),)
    assert (kept.first, kept.last, kept.gaps) == (61, 70, ())


def test_damage_after_a_crash_within_what_was_acknowledged_is_a_gap(
    home: Path, segment: Path, claim: Claim, read: Read
) -> None:
    last = sorted(segment.parent.glob("*.seg"))[1]
    last.write_bytes(last.read_bytes()[:-1])
    writer = claim()
    first, _ = writer.append_and_wait(Records([b"new"], b"{}", 0))

    rows, gaps = read()
    assert first == 71  # the mark knew that 70 rows were acknowledged
    assert [(gap.first, gap.last) for gap in gaps] == [(61, 70)]
    assert rows[71] == b"new"


def test_a_torn_end_that_nobody_was_told_of_is_no_damage(
    home: Path, segment: Path, claim: Claim, read: Read
) -> None:
    last = sorted(segment.parent.glob("*.seg"))[1]
    last.write_bytes(last.read_bytes() + b"TIDF" + bytes(500))
    writer = claim()
    writer.append_and_wait(Records([b"new"], b"{}", 0))

    assert read() == ({row: body(row) for row in range(1, 71)} | {71: b"new"}, [])
    assert [f for verified in verify(home, Disk()) for f in verified.findings] == []


def test_a_lane_that_ends_before_the_lake_s_position_is_told(
    home: Path, segment: Path, stream: str
) -> None:
    with pytest.raises(DamagedError, match="ends before row 71"):
        list(Inbox(home, Disk()).takes(stream, 71))


def test_a_segment_of_another_version_stops_loudly(
    home: Path, segment: Path, stream: str, spoil: Spoil
) -> None:
    import struct

    import xxhash

    header = bytearray(segment.read_bytes()[: SEGMENT_BYTES - 8])
    header[8:12] = struct.pack("<I", FORMAT + 1)
    check = xxhash.xxh3_64_intdigest(bytes(header), seed=seed_of(stream, segment.name))
    spoil(0, bytes(header) + struct.pack("<Q", check))

    with pytest.raises(IncompatibleError, match=f"has format {FORMAT + 1}"):
        next(Inbox(home, Disk()).takes(stream, 0)).read()


def test_verify_counts_what_is_right_and_names_what_is_wrong(
    home: Path, segment: Path, stream: str, spoil: Spoil
) -> None:
    second, _, fourth = frames_of(segment, stream)[1:4]
    spoil(second.offset + 10, b"\xff")
    spoil(fourth.payload + 3, b"\xff\xff")

    one, two = verify(home, Disk())
    assert (one.frames, one.rows, one.bytes) == (4, 40, segment.stat().st_size)
    assert [(f.first, f.last, f.rows) for f in one.findings] == [(11, 20, 10), (31, 40, 10)]
    assert (two.frames, two.rows, two.findings) == (1, 10, ())


def test_verify_needs_no_mark(home: Path, segment: Path) -> None:
    for mark in (home / "run").rglob("*.mark"):
        mark.unlink()

    assert [(v.rows, v.findings) for v in verify(home, Disk())] == [(60, ()), (10, ())]


spoilings = st.lists(
    st.one_of(
        st.tuples(st.just("flip"), st.floats(0, 1), st.integers(1, 255)),
        st.tuples(st.just("zero"), st.floats(0, 1), st.integers(1, 3000)),
        st.tuples(st.just("cut"), st.floats(0, 1), st.just(0)),
        st.tuples(st.just("drop"), st.floats(0, 1), st.integers(1, 600)),
        st.tuples(st.just("copy"), st.floats(0, 1), st.integers(1, 900)),
        st.tuples(st.just("remove"), st.floats(0, 1), st.just(0)),
    ),
    min_size=1,
    max_size=4,
)


def spoil_somewhere(paths: list[Path], kind: str, where: float, amount: int) -> None:
    """Do harm at a place between the first byte of the first file and the last of the last."""
    path = paths[min(int(where * len(paths)), len(paths) - 1)]
    if not path.exists():
        return
    data = path.read_bytes()
    at = int((where * len(paths) % 1) * len(data))
    harm = {
        "flip": lambda: data[:at] + bytes(b ^ amount for b in data[at : at + 1]) + data[at + 1 :],
        "zero": lambda: data[:at] + bytes(len(data[at : at + amount])) + data[at + amount :],
        "cut": lambda: data[:at],
        "drop": lambda: data[:at] + data[at + amount :],
        "copy": lambda: data[:at] + data[max(at - amount, 0) : at] + data[at:],
    }
    path.unlink() if kind == "remove" else path.write_bytes(harm[kind]())


@settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    harms=spoilings,
    sizes=st.lists(st.integers(1, 40), min_size=1, max_size=8),
    segment_bytes=st.sampled_from([1, 1500, 1 << 20]),
    max_rows=st.sampled_from([1, 7, 1 << 20]),
)
def test_whatever_is_damaged_each_row_is_read_as_written_or_named_as_lost(
    harms: list[tuple[str, float, int]], sizes: list[int], segment_bytes: int, max_rows: int
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        home, disk = Path(folder), Disk()
        writer = LaneWriter.claim(home, disk, SegmentLimits(segment_bytes=segment_bytes))
        row = 0
        for size in sizes:
            bodies = [body(row + n) for n in range(1, size + 1)]
            row += size
            writer.append_and_wait(Records(bodies, b"{}", 0))
        writer.close()
        for kind, where, amount in harms:
            paths = sorted((home / "inbox" / "lanes" / "0").glob("*.seg"))
            if paths:
                spoil_somewhere(paths, kind, where, amount)

        inbox = Inbox(home, disk)
        due = 1
        for take in inbox.takes(writer.stream, 0, bounds=Bounds(max_bytes=2000, max_rows=max_rows)):
            batch = take.read()
            assert batch.first == due
            due = batch.last + 1
            numbers = batch.numbers.to_pylist()
            lost = [n for gap in batch.gaps for n in range(gap.first, gap.last + 1)]
            assert sorted(numbers + lost) == list(range(batch.first, batch.last + 1))
            assert batch.records["body"].to_pylist() == [body(n) for n in numbers]
            assert take.read() == batch
        assert due == row + 1
        counted = sum(v.rows + sum(f.rows for f in v.findings) for v in verify(home, disk))
        assert counted <= row


def test_the_header_size_is_what_the_format_says() -> None:
    assert (SEGMENT_BYTES, HEADER_BYTES) == (40, 48)
