"""The bytes of a segment: a header, then frames.

    segment   40 bytes: magic "TIDESEGM" · format u32 · lane u32 · first row u64 ·
              created us i64 · header check u64 (over the 32 bytes before it)
    frame     48 bytes: magic "TIDF" · rows u32 · first row u64 · length u64 · expanded u64 ·
              payload check u64 · header check u64 (over the 40 bytes before it);
              then `length` bytes: one Arrow IPC record batch message (`records.STORED_SCHEMA`)

`expanded` is what the records weigh once each has its request's envelope (`Records.expanded`): it
may be thousands of times `length`, so readers go by it.

All numbers are little-endian. The checks are xxh3-64 with the segment's seed, which is made of the
inbox's incarnation, the lane and the segment's name: a frame is valid only where it was written, so
that neither a moved frame nor one that a client has sent as a body is taken for one. (xxh3 checks
58 GB/s where zlib's crc32 checks 3.9, measured; Arrow alone has no checksum.)
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import xxhash

from tidelake.errors import IncompatibleError

FORMAT: Final = 2
SEGMENT_MAGIC: Final = b"TIDESEGM"
FRAME_MAGIC: Final = b"TIDF"

_SEGMENT = struct.Struct("<8sIIQq")
_FRAME = struct.Struct("<4sIQQQQ")
_CHECK = struct.Struct("<Q")

SEGMENT_BYTES: Final = _SEGMENT.size + _CHECK.size
HEADER_BYTES: Final = _FRAME.size + _CHECK.size

# Headers are looked at through windows of this size: one read for many small frames, and no more
# than this read in vain for a large one.
WINDOW_BYTES: Final = 64 * 1024

Read = Callable[[int, int], bytes | memoryview]
"""Bytes of the segment: (offset, most bytes) gives fewer only at its end."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame whose header is valid and whose payload is all there."""

    offset: int
    first: int
    rows: int
    length: int
    expanded: int
    check: int

    @property
    def weight(self) -> int:
        """About the bytes in memory while all of it is read."""
        return max(self.expanded, self.length)

    @property
    def last(self) -> int:
        return self.first + self.rows - 1

    @property
    def payload(self) -> int:
        """Offset of the payload."""
        return self.offset + HEADER_BYTES

    @property
    def end(self) -> int:
        return self.payload + self.length


@dataclass(frozen=True, slots=True)
class Damage:
    """Bytes `offset..end` in which no frame is found."""

    offset: int
    end: int
    what: str


def seed_of(stream: str, segment: str) -> int:
    """The seed of the checks in the segment of this name."""
    return xxhash.xxh3_64_intdigest(f"{stream}/{segment}".encode())


def segment_header(lane: int, first: int, created_us: int, seed: int) -> bytes:
    header = _SEGMENT.pack(SEGMENT_MAGIC, FORMAT, lane, first, created_us)
    return header + _CHECK.pack(xxhash.xxh3_64_intdigest(header, seed=seed))


def check_segment_header(header: bytes, name: str, seed: int) -> str:
    """What is wrong with a segment's first bytes; empty if nothing is.

    A damaged header costs nothing, since all that a reader needs is in the name. Raises
    `IncompatibleError` for a format of another version.
    """
    if not header:
        return ""  # made, and left by a crash before the first frame
    said = header[_SEGMENT.size :]
    if said != _CHECK.pack(xxhash.xxh3_64_intdigest(header[: _SEGMENT.size], seed=seed)):
        return "the segment's header is not valid"
    version = _SEGMENT.unpack_from(header)[1]
    if version != FORMAT:
        raise IncompatibleError(
            f"the segment {name} has format {version}, this version reads format {FORMAT}",
            hint="Read it with the version that wrote it, then start with the other one.",
        )
    return ""


def frame_header(first: int, rows: int, expanded: int, payload: memoryview, seed: int) -> bytes:
    check = xxhash.xxh3_64_intdigest(payload, seed=seed)
    header = _FRAME.pack(FRAME_MAGIC, rows, first, len(payload), expanded, check)
    return header + _CHECK.pack(xxhash.xxh3_64_intdigest(header, seed=seed))


def payload_is_valid(frame: Frame, payload: memoryview, seed: int) -> bool:
    return (
        len(payload) == frame.length and xxhash.xxh3_64_intdigest(payload, seed=seed) == frame.check
    )


def frames(read: Read, offset: int, size: int, seed: int) -> Iterator[Frame | Damage]:
    """What lies in a segment of `size` bytes from `offset` on: frames, and what is between them.

    Only headers are read. A torn end is a `Damage` like any other: whether it is one, or was never
    acknowledged, is known by the mark and the next segment.
    """
    window, start = b"", 0
    offset = max(offset, SEGMENT_BYTES)
    while offset < size:
        if not start <= offset <= start + len(window) - HEADER_BYTES:
            window, start = bytes(read(offset, min(WINDOW_BYTES, size - offset))), offset
        frame = _frame_at(window, offset - start, offset, seed)
        if frame is not None and frame.end <= size:
            yield frame
            offset = frame.end
        else:
            after = _next_frame(read, offset + 1, size, seed)
            what = "payload is cut short" if frame else _why_no_header(window, offset - start)
            yield Damage(offset, after, what)
            offset = after


def _frame_at(window: bytes, at: int, offset: int, seed: int) -> Frame | None:
    if len(window) - at < HEADER_BYTES:
        return None
    magic, rows, first, length, expanded, check = _FRAME.unpack_from(window, at)
    if magic != FRAME_MAGIC or rows == 0:
        return None
    (said,) = _CHECK.unpack_from(window, at + _FRAME.size)
    if xxhash.xxh3_64_intdigest(window[at : at + _FRAME.size], seed=seed) != said:
        return None
    return Frame(offset, first, rows, length, expanded, check)


def _next_frame(read: Read, offset: int, size: int, seed: int) -> int:
    """Offset of the first valid header from `offset` on; `size` if there is none."""
    step = 1 << 20
    while offset < size:
        window = bytes(read(offset, step + HEADER_BYTES))
        at = window.find(FRAME_MAGIC, 0, step + len(FRAME_MAGIC) - 1)
        while at >= 0:
            if _frame_at(window, at, offset + at, seed) is not None:
                return offset + at
            at = window.find(FRAME_MAGIC, at + 1, step + len(FRAME_MAGIC) - 1)
        offset += step
    return size


def _why_no_header(window: bytes, at: int) -> str:
    header = window[at : at + HEADER_BYTES]
    if len(header) < HEADER_BYTES:
        return "frame header is cut short"
    if not any(header):
        return "zeros where a frame header belongs"
    return "frame header is not valid"
