"""Cutting the elements of a JSON array out of bytes, without building objects.

The array may be larger than memory: it is taken in windows. A window ends after an element if what
lies before is a run of whole elements, which msgspec tells at 2 GB/s; so a boundary inside a string
or a nested list is never taken. Where the array is broken, brackets are counted instead: the broken
element is a record that will be rejected, and its neighbours are records as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from tidelake.sources.chunk import MAX_RECORD_BYTES, Chunk, Read

_SPACE = b" \t\r\n"
_BOUNDARY = re.compile(rb"}[ \t\r\n]*,[ \t\r\n]*{")
# Possessive: else a string that does not end keeps 120 bytes of matcher for each of its own.
_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+"|[][{},"]', re.DOTALL)
_TRIES = 16
_TAIL_BYTES = 256 * 1024

_elements = msgspec.json.Decoder(list[msgspec.Raw])


def chunks(read: Read, begin: int, size: int, chunk_bytes: int) -> Iterator[Chunk]:
    """The array's bytes after its `[`, in chunks of whole elements."""
    first = 1
    while (begin := _skip(read, begin, size)) < size:
        chunk, begin = _next_chunk(read, begin, size, chunk_bytes, first)
        if chunk.rows:
            yield chunk
        first += chunk.rows


def split(content: bytes) -> list[bytes]:
    """The elements of a run of whole elements; none where it is no such run."""
    return [bytes(element) for element in _whole(content) or ()]


def _whole(content: bytes) -> list[msgspec.Raw] | None:
    try:
        return _elements.decode(b"[%b]" % content)
    except (msgspec.DecodeError, RecursionError):
        return None


def split_by_brackets(content: bytes) -> list[bytes]:
    """What lies between the commas outside of all brackets and strings; the last part is open."""
    parts, rest = _scan(content)
    parts.append((rest, len(content)))
    return [part for start, end in parts if (part := content[start:end].strip(_SPACE))]


def _skip(read: Read, begin: int, size: int) -> int:
    """The offset of the next element: past white space and the comma between two."""
    while begin < size:
        window = read(begin, 4096)
        rest = window.lstrip(_SPACE + b",")
        if rest:
            return begin + len(window) - len(rest)
        begin += len(window)
    return begin


def _next_chunk(
    read: Read, begin: int, size: int, chunk_bytes: int, first: int
) -> tuple[Chunk, int]:
    """The chunk at `begin` and the offset after it."""
    window_bytes = chunk_bytes
    while True:
        window = read(begin, window_bytes)
        at_end = begin + len(window) >= size
        for cut, after in _cuts(window, at_end):
            elements = _whole(window[:cut])
            if elements is not None:
                end = begin + cut
                return Chunk(begin, end, first, len(elements), "elements"), begin + after
        parts, rest = _scan(window)
        if parts or at_end or window_bytes >= MAX_RECORD_BYTES:
            cut = rest if parts and not at_end else min(len(window), MAX_RECORD_BYTES)
            rows = len(split_by_brackets(window[:cut]))
            return Chunk(begin, begin + cut, first, rows, "brackets"), begin + cut
        window_bytes *= 2


def _cuts(window: bytes, at_end: bool) -> Iterator[tuple[int, int]]:
    """Ends of what may be whole elements, longest first, each with where the next one begins."""
    if at_end:
        content = window.rstrip(_SPACE)
        yield len(content.removesuffix(b"]")), len(window)
    tail = max(len(window) - _TAIL_BYTES, 0)
    found = [match.start() + 1 for match in _BOUNDARY.finditer(window, tail)]
    for cut in reversed(found[-_TRIES:]):
        yield cut, cut


def _scan(content: bytes) -> tuple[list[tuple[int, int]], int]:
    """Start and end of each part that a comma or the array's end closes; start of the rest."""
    parts, depth, start = [], 0, 0
    for match in _TOKEN.finditer(content):
        token = match[0]
        if token == b'"':  # a string that does not end
            break
        if token in b"[{":
            depth += 1
        elif depth and token in b"]}":
            depth -= 1
        elif depth == 0 and token in b",]":
            parts.append((start, match.start()))
            start = match.end()
    return parts, start
