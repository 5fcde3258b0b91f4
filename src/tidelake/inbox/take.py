"""Reading records out of a segment, and naming those that can not be read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from tidelake.batch import RAW_SCHEMA, Gap, RawBatch
from tidelake.errors import DamagedError
from tidelake.inbox.frame import (
    SEGMENT_BYTES,
    Damage,
    Frame,
    Read,
    check_segment_header,
    frames,
    payload_is_valid,
    seed_of,
)
from tidelake.inbox.opened import opened
from tidelake.inbox.records import Packed, unpack

# Not `from_pylist`: it imports pandas where that is installed, a second of CPU for every process.
_NO_RECORDS = pa.RecordBatch.from_arrays(
    [pa.nulls(0, field.type) for field in RAW_SCHEMA], schema=RAW_SCHEMA
)


@dataclass(frozen=True, slots=True)
class Piece:
    """The records `first..last`, which lie in one frame from index `start` on."""

    first: int
    last: int
    start: int
    packed: Packed

    def records(self) -> pa.RecordBatch:
        """Them in `RAW_SCHEMA`: as large as `Frame.expanded` says, so read what is bounded."""
        return self.packed.records(self.start, self.last - self.first + 1)

    def fitting(self, max_bytes: int) -> tuple[int, int]:
        """The last record that fits, at least the first, and the size up to there."""
        rows, size = self.packed.fitting(self.start, self.last - self.first + 1, max_bytes)
        return self.first + rows - 1, size


def pieces(
    read: Read, offset: int, size: int, seed: int, first: int, last: int, name: str
) -> Iterator[Piece | Gap]:
    """The rows `first..last` of a segment in order, each of them in a `Piece` or in a `Gap`.

    Frames that come again or out of order are left out: what they hold was read, or is in a gap.
    """
    due, what = first, "no frame holds them"
    for item in frames(read, offset, size, seed):
        if isinstance(item, Damage):
            what = f"{item.what} at byte {item.offset} of {name}"
            continue
        if item.first > last or due > last:
            break
        if item.last < due:
            continue
        if item.first > due:
            yield Gap(due, item.first - 1, what)
            due = item.first
        end = min(item.last, last)
        yield piece(item, read, seed, due, end, name)
        due, what = end + 1, "no frame holds them"
    if due <= last:
        yield Gap(due, last, what)


def piece(frame: Frame, read: Read, seed: int, first: int, last: int, name: str) -> Piece | Gap:
    """The rows `first..last` of a frame in the segment `name`, if its bytes are whole."""
    payload = memoryview(read(frame.payload, frame.length))
    if not payload_is_valid(frame, payload, seed):
        return Gap(first, last, f"payload check failed at byte {frame.payload} of {name}")
    try:
        packed = unpack(pa.py_buffer(payload), frame.rows)
    except DamagedError as exc:
        return Gap(first, last, f"{exc} at byte {frame.payload} of {name}")
    return Piece(first, last, first - frame.first, packed)


@dataclass(frozen=True, slots=True)
class InboxTake:
    """The rows `first..last` of a lane: bytes `offset..end` of the segment `name` in `folder`.

    `name` is empty where no segment holds the rows: they are a gap. `size` is about the bytes that
    the records take in memory, each with its envelope.
    """

    stream: str
    first: int
    last: int
    folder: Path
    name: str = ""
    offset: int = 0
    end: int = 0
    size: int = 0

    def read(self) -> RawBatch:
        """The records, and gaps for those whose bytes are damaged or gone."""
        seed = seed_of(self.stream, self.name)
        content = self._content(seed)
        if content is None:
            return self._assembled([Gap(self.first, self.last, self._nowhere())])
        view = memoryview(content)

        def read(offset: int, most: int) -> memoryview:
            return view[offset - self.offset : offset - self.offset + most]

        size = self.offset + len(content)
        return self._assembled(
            pieces(read, self.offset, size, seed, self.first, self.last, self.name)
        )

    def _content(self, seed: int) -> bytes | None:
        if not self.name:
            return None
        try:
            with opened(self.folder / self.name) as (read, _):
                check_segment_header(read(0, SEGMENT_BYTES), self.name, seed)
                return read(self.offset, self.end - self.offset)
        except FileNotFoundError:
            return None

    def _nowhere(self) -> str:
        return f"the segment {self.name} is gone" if self.name else "no segment holds them"

    def _assembled(self, found: Iterable[Piece | Gap]) -> RawBatch:
        found = list(found)
        kept = [item for item in found if isinstance(item, Piece)]
        records = [item.records() for item in kept] or [_NO_RECORDS]
        numbers = [pa.arange(item.first, item.last + 1) for item in kept]
        return RawBatch(
            self.stream,
            self.first,
            self.last,
            records[0] if len(records) == 1 else pa.concat_batches(records),
            pa.concat_arrays(numbers or [pa.array([], pa.int64())]),
            tuple(item for item in found if isinstance(item, Gap)),
        )
