"""What moves between the rooms: raw records in, judged tables out, and the position of each.

A *stream* is one ordered run of records, named `source/incarnation/partition` (`inbox/<uuid>/0`,
`file/<sha256>/0`). Records of a stream are numbered from 1; the *position* of a stream is the
number of its last record taken, inclusive. The incarnation is fixed when the source is created, so
that a wiped inbox or a re-created stream can never look as if it had been read already.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Generic, Protocol, TypeVar

import pyarrow as pa
import pyarrow.compute as pc

from tidelake.errors import UsageError

RAW_SCHEMA = pa.schema(
    [
        # One event as received, whatever it holds: an NDJSON line, a Segment message, a CDC row.
        pa.field("body", pa.binary(), nullable=False),
        # What the request knew and the record does not, one JSON object: path, ip, user agent,
        # project, sentAt, batch-level context, CloudEvents headers.
        pa.field("envelope", pa.binary(), nullable=False),
        pa.field("received_at", pa.timestamp("us", tz="UTC"), nullable=False),
        pa.field("source", pa.string(), nullable=False),  # api, kinesis, cdc, file
        pa.field("format", pa.string(), nullable=False),  # native, segment, cloudevents, cdc
    ]
)

SOURCES = ("api", "kinesis", "cdc", "file")
FORMATS = ("native", "segment", "cloudevents", "cdc")


def stream_name(source: str, incarnation: str, partition: str | int) -> str:
    """The name of a stream; raises `UsageError` where a part is empty or holds a slash."""
    parts = (source, incarnation, str(partition))
    if any(not part or "/" in part for part in parts):
        raise UsageError(
            f"a stream name needs three parts without slashes, not {parts}",
            hint="This is a fault in a source; report it with the name shown.",
        )
    return "/".join(parts)


def split_position(source_position: str) -> tuple[str, int]:
    """Stream and record number of a `source_position` column value."""
    stream, _, number = source_position.rpartition("/")
    return stream, int(number)


@dataclass(frozen=True, slots=True)
class Gap:
    """Records of a stream that can not be read any more: a damaged frame, named and counted."""

    first: int
    last: int
    detail: str

    @property
    def records(self) -> int:
        return self.last - self.first + 1


@dataclass(frozen=True, slots=True)
class RawBatch:
    """The records `first..last` of one stream, in order.

    `records` has `RAW_SCHEMA`; `numbers` (int64, ascending) gives each row's number in the stream.
    Numbers of the range that are in neither `numbers` nor `gaps` were judged in an earlier run.
    """

    stream: str
    first: int
    last: int
    records: pa.RecordBatch
    numbers: pa.Int64Array
    gaps: tuple[Gap, ...] = ()

    @classmethod
    def contiguous(cls, stream: str, first: int, records: pa.RecordBatch) -> RawBatch:
        """A batch whose rows are numbered without holes from `first`."""
        last = first + records.num_rows - 1
        numbers = pa.array(range(first, last + 1), pa.int64())
        return cls(stream, first, last, records, numbers)

    @property
    def raw_bytes(self) -> int:
        """Bytes of all bodies as received, decompressed."""
        return int(pc.sum(pc.binary_length(self.records["body"])).as_py() or 0)

    def slices(self, rows: int) -> Iterator[RawBatch]:
        """The same records and gaps as batches of at most `rows` rows, in order."""
        first = self.first
        for start in range(0, max(self.records.num_rows, 1), rows):
            numbers = self.numbers.slice(start, rows)
            whole = start + rows >= self.records.num_rows
            last = self.last if whole else numbers[-1].as_py()
            yield RawBatch(
                self.stream,
                first,
                last,
                self.records.slice(start, rows),
                numbers,
                tuple(gap for gap in self.gaps if first <= gap.first <= last),
            )
            first = last + 1

    def without(self, judged: Iterable[int]) -> RawBatch:
        """The same range without the records (and gaps) that an earlier run has judged already."""
        done = set(judged)
        if not done:
            return self
        keep = pc.invert(pc.is_in(self.numbers, pa.array(sorted(done), pa.int64())))
        return replace(
            self,
            records=self.records.filter(keep),
            numbers=self.numbers.filter(keep),
            gaps=tuple(gap for gap in self.gaps if gap.first not in done),
        )


class Take(Protocol):
    """A promise to read the records `first..last` of a stream.

    It is cheap to make, can be pickled to another process and read there, and reading it again
    gives the same batch: whoever holds the position decides what is taken, whoever has a free core
    reads.
    """

    @property
    def stream(self) -> str: ...
    @property
    def first(self) -> int: ...
    @property
    def last(self) -> int: ...
    @property
    def size(self) -> int:
        """About how many bytes `read` brings into memory."""

    def read(self) -> RawBatch:
        """The records; raises `DamagedError` only where not even the gap can be told."""


@dataclass(frozen=True, slots=True)
class Processed:
    """What `process` makes of a batch: every record is a row of exactly one of the two tables."""

    events: pa.Table
    rejected: pa.Table


@dataclass(frozen=True, slots=True)
class FileStatistics:
    """What Iceberg wants to know of a Parquet file's columns, by field id.

    Bounds are Iceberg single-value bytes; `split_offsets` is where the row groups begin.
    """

    column_sizes: dict[int, int] = field(default_factory=dict)
    value_counts: dict[int, int] = field(default_factory=dict)
    null_counts: dict[int, int] = field(default_factory=dict)
    lower_bounds: dict[int, bytes] = field(default_factory=dict)
    upper_bounds: dict[int, bytes] = field(default_factory=dict)
    split_offsets: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class EncodedFile:
    """One finished Parquet file of one day partition."""

    table: str
    day: date
    rows: int
    data: pa.Buffer
    statistics: FileStatistics


File = TypeVar("File")


@dataclass(frozen=True, slots=True)
class Range(Generic[File]):
    """The records `first..last` of one stream as files, in memory or stored."""

    stream: str
    first: int
    last: int
    files: tuple[File, ...]
    events: int
    rejected: Mapping[str, int]  # by reason, without damaged_frame
    damaged: int  # records lost in damaged frames
    raw_bytes: int
    arrivals: Mapping[int, int] = field(default_factory=dict)  # received_at in ms: records


class Encoded(Range[EncodedFile]):
    """A range as finished files in memory: what both decoders give."""

    __slots__ = ()
