"""Files as a source."""

from __future__ import annotations

import json
import time
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyarrow as pa

from tidelake.batch import FORMATS, RAW_SCHEMA, RawBatch, Take, stream_name
from tidelake.errors import DamagedError, UsageError
from tidelake.files import Disk
from tidelake.sources import elements, lines
from tidelake.sources.chunk import Chunk
from tidelake.sources.content import Content, content_of, read_range
from tidelake.sources.seen import Seen, first_seen
from tidelake.sources.spools import Spools

CHUNK_BYTES: Final = 8 << 20
# Of the envelopes in a take: each record has one, and a chunk may hold millions of records.
ENVELOPE_BYTES: Final = 16 << 20
MIN_FREE_BYTES: Final = 512 << 20


@dataclass(frozen=True, slots=True)
class FileTake:
    """The records `first..last` of a file, all in one chunk of it."""

    stream: str
    first: int
    last: int
    content: Content
    chunk: Chunk
    seen: Seen
    format: str

    @property
    def size(self) -> int:
        envelopes = (self.last - self.first + 1) * len(_envelope(self.seen))
        return self.chunk.end - self.chunk.offset + envelopes

    def read(self) -> RawBatch:
        """The records. Raises `UnavailableError` where the file was changed meanwhile."""
        chunk = self.chunk
        raw = read_range(self.content, chunk.offset, chunk.end - chunk.offset)
        bodies = _cut(raw, chunk)
        if len(bodies) != chunk.rows:
            raise DamagedError(f"{self.content.path} does not hold what it held a moment ago")
        bodies = bodies.slice(self.first - chunk.first, self.last - self.first + 1)
        values = (_envelope(self.seen), self.seen.at_us, "file", self.format)
        columns = [
            pa.repeat(pa.scalar(value, RAW_SCHEMA.field(i).type), len(bodies))
            for i, value in enumerate(values, start=1)
        ]
        records = pa.RecordBatch.from_arrays([bodies, *columns], schema=RAW_SCHEMA)
        return RawBatch.contiguous(self.stream, self.first, records)


def _envelope(seen: Seen) -> bytes:
    return json.dumps({"file": seen.name}, ensure_ascii=False).encode()


def _cut(raw: bytes, chunk: Chunk) -> pa.BinaryArray:
    if chunk.cut == "lines":
        return lines.split(raw)
    if chunk.cut == "elements":
        return pa.array(elements.split(raw), pa.binary())
    return pa.array(elements.split_by_brackets(raw), pa.binary())


@dataclass(frozen=True, slots=True)
class _File:
    """A file whose chunks are known."""

    content: Content
    seen: Seen
    chunks: tuple[Chunk, ...]

    @property
    def records(self) -> int:
        return self.chunks[-1].last if self.chunks else 0


class FileSource:
    """A `Source` of files: NDJSON or a JSON array, plain, gzip or zstd, and Parquet; `-` is stdin.

    What a file is, its first bytes say, not its name. Its stream is `file/<sha256>/0`: the same
    bytes are the same stream, whatever they are called. Files are read through once when the source
    is opened; records are numbered then. Raises `UsageError` for a file that can not be read to its
    end, before anything is taken of any of them.
    """

    def __init__(
        self,
        files: Sequence[str],
        home: Path,
        disk: Disk,
        *,
        format: str = "native",
        chunk_bytes: int = CHUNK_BYTES,
        min_free_bytes: int = MIN_FREE_BYTES,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if format not in FORMATS:
            raise UsageError(
                f"there is no format {format}", hint=f"Use one of {', '.join(FORMATS)}."
            )
        self._format = format
        self._spools = Spools(home, disk, min_free_bytes)
        self._files: dict[str, _File] = {}
        try:
            for given in files:
                content = content_of(given, self._spools)
                now_us = int(clock() * 1_000_000)
                seen = first_seen(home, disk, content.sha256, content.name, now_us)
                stream = stream_name("file", content.sha256, 0)
                self._files[stream] = _File(content, seen, _chunks_of(content, chunk_bytes))
        except BaseException:
            self.close()
            raise

    def streams(self) -> tuple[str, ...]:
        return tuple(self._files)

    def accepted(self) -> Mapping[str, int]:
        return {stream: file.records for stream, file in self._files.items()}

    def takes(self, stream: str, after: int, until: int | None = None) -> Iterator[Take]:
        file = self._file(stream)
        if after > file.records:
            raise DamagedError(f"{file.content.name} ends before record {after}, held by the lake")
        last = file.records if until is None else min(until, file.records)
        rows = max(ENVELOPE_BYTES // len(_envelope(file.seen)), 1)
        begin = bisect_right(file.chunks, after, key=lambda chunk: chunk.last)
        for chunk in file.chunks[begin:]:
            if max(chunk.first, after + 1) > last:
                break
            end = min(chunk.last, last)
            for first in range(max(chunk.first, after + 1), end + 1, rows):
                most = min(first + rows - 1, end)
                yield FileTake(stream, first, most, file.content, chunk, file.seen, self._format)

    def release(self, stream: str, row: int) -> None:
        """Nothing: the file is its owner's."""
        self._file(stream)

    def name(self, stream: str) -> str:
        """The file's name, as it was given."""
        return self._file(stream).content.name

    def close(self) -> None:
        """Remove what was unpacked; takes can not be read any more."""
        self._spools.close()

    def _file(self, stream: str) -> _File:
        if stream not in self._files:
            raise UsageError(f"there is no file with the stream {stream}")
        return self._files[stream]


def _chunks_of(content: Content, chunk_bytes: int) -> tuple[Chunk, ...]:
    def read(offset: int, size: int) -> bytes:
        return read_range(content, offset, size)

    cut = elements.chunks if content.is_array else lines.chunks
    return tuple(cut(read, content.begin, content.size, chunk_bytes))
