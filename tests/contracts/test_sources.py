"""The promise of `tidelake.sources.Source`, kept by every source."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Protocol

import pytest

from tidelake.batch import FORMATS, RAW_SCHEMA, SOURCES, RawBatch
from tidelake.errors import DamagedError, UsageError
from tidelake.files import Disk
from tidelake.inbox import Bounds, LaneWriter, Records, SegmentLimits
from tidelake.sources import FileSource, InboxSource, Source

ROWS = 200


def body(row: int) -> bytes:
    return b'{"event_id":"%d","pad":"%s"}' % (row, b"x" * (row % 90))


class Maker(Protocol):
    """Opens a source whose only stream holds the bodies of the rows 1..ROWS."""

    def __call__(self, home: Path) -> Source: ...


def from_inbox(home: Path) -> Source:
    writer = LaneWriter.claim(home, Disk(), SegmentLimits(segment_bytes=3000))
    for first in range(1, ROWS + 1, 8):
        bodies = [body(row) for row in range(first, first + 8)]
        writer.append_and_wait(Records(bodies, b"{}", 1_764_000_000_000_000))
    writer.close()
    return InboxSource(home, Disk(), Bounds(max_bytes=2000))


def file_of(home: Path, content: bytes) -> Source:
    home.mkdir()
    (home / "events").write_bytes(content)
    return FileSource([str(home / "events")], home, Disk(), chunk_bytes=1500)


def from_lines(home: Path) -> Source:
    return file_of(home, b"\n".join(map(body, range(1, ROWS + 1))))


def from_array(home: Path) -> Source:
    return file_of(home, b"[" + b",\n ".join(map(body, range(1, ROWS + 1))) + b"]\n")


def from_gzip(home: Path) -> Source:
    import gzip

    return file_of(home, gzip.compress(b"".join(body(row) + b"\r\n" for row in range(1, ROWS + 1))))


def from_zstd(home: Path) -> Source:
    import zstandard

    return file_of(home, zstandard.compress(b"\n".join(map(body, range(1, ROWS + 1)))))


def from_parquet(home: Path) -> Source:
    import io

    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = range(1, ROWS + 1)
    table = pa.table({"event_id": [str(n) for n in rows], "pad": ["x" * (n % 90) for n in rows]})
    target = io.BytesIO()
    pq.write_table(table, target, row_group_size=30)
    return file_of(home, target.getvalue())


MAKERS: list[Maker] = [from_inbox, from_lines, from_array, from_gzip, from_zstd, from_parquet]


@dataclass
class Opened:
    source: Source
    stream: str

    def batches(self, after: int, until: int | None = None) -> list[RawBatch]:
        return [take.read() for take in self.source.takes(self.stream, after, until)]

    def bodies(self, after: int, until: int | None = None) -> dict[int, bytes]:
        found: dict[int, bytes] = {}
        for batch in self.batches(after, until):
            numbers = batch.numbers.to_pylist()
            found |= dict(zip(numbers, batch.records["body"].to_pylist(), strict=True))
        return found


@pytest.fixture(params=MAKERS, ids=lambda maker: maker.__name__)
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Opened]:
    source = request.param(tmp_path / "home")
    (stream,) = source.streams()
    yield Opened(source, stream)
    if isinstance(source, FileSource):
        source.close()


def test_a_stream_has_the_name_of_its_source_and_incarnation(opened: Opened) -> None:
    source, incarnation, partition = opened.stream.split("/")

    assert source in ("inbox", "file")
    assert len(incarnation) in (36, 64)
    assert partition == "0"


def test_what_is_accepted_is_counted_from_one(opened: Opened) -> None:
    assert opened.source.accepted() == {opened.stream: ROWS}
    assert opened.bodies(0) == {row: body(row) for row in range(1, ROWS + 1)}


def test_takes_follow_one_another_without_hole_or_overlap(opened: Opened) -> None:
    takes = list(opened.source.takes(opened.stream, 0))

    assert len(takes) > 2
    assert takes[0].first == 1
    assert takes[-1].last == ROWS
    for before, after in pairwise(takes):
        assert after.first == before.last + 1
    for take in takes:
        batch = take.read()
        assert (batch.stream, batch.first, batch.last) == (take.stream, take.first, take.last)
        assert 0 < take.size < 10_000


@pytest.mark.parametrize(("after", "until"), [(0, 1), (7, 8), (3, 150), (99, 100), (42, None)])
def test_exactly_the_rows_asked_for_are_taken(
    opened: Opened, after: int, until: int | None
) -> None:
    last = ROWS if until is None else until

    assert opened.bodies(after, until) == {row: body(row) for row in range(after + 1, last + 1)}


def test_nothing_is_taken_where_nothing_is_new(opened: Opened) -> None:
    assert opened.batches(ROWS) == []
    assert opened.batches(5, 5) == []
    assert opened.bodies(ROWS - 1, ROWS + 50) == {ROWS: body(ROWS)}


def test_a_take_can_be_read_elsewhere_and_again(opened: Opened) -> None:
    for take in opened.source.takes(opened.stream, 10):
        assert pickle.loads(pickle.dumps(take)).read() == take.read() == take.read()


def test_taking_again_gives_the_same_records(opened: Opened) -> None:
    def rows(after: int) -> list[object]:
        return [row for batch in opened.batches(after) for row in batch.records.to_pylist()]

    once = rows(0)
    opened.bodies(77, 80)
    assert rows(0) == once
    assert rows(123) == once[123:]


def test_records_have_the_raw_schema_and_known_sources_and_formats(opened: Opened) -> None:
    for batch in opened.batches(0):
        assert batch.records.schema == RAW_SCHEMA
        assert all(column.null_count == 0 for column in batch.records.columns)
        assert set(batch.records["source"].to_pylist()) <= set(SOURCES)
        assert set(batch.records["format"].to_pylist()) <= set(FORMATS)


def test_releasing_may_be_repeated_and_takes_nothing_that_is_not_released(opened: Opened) -> None:
    opened.source.release(opened.stream, 50)
    opened.source.release(opened.stream, 50)

    assert opened.bodies(50) == {row: body(row) for row in range(51, ROWS + 1)}
    assert opened.source.accepted() == {opened.stream: ROWS}


def test_a_stream_that_ends_before_the_position_is_told(opened: Opened) -> None:
    with pytest.raises(DamagedError, match="ends before"):
        opened.batches(ROWS + 1)


def test_an_unknown_stream_is_refused(opened: Opened) -> None:
    with pytest.raises(UsageError):
        list(opened.source.takes("inbox/nobody/0", 0))
    with pytest.raises(UsageError):
        opened.source.release("file/nobody/0", 1)
