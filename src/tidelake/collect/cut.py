"""A body becomes records by slices: no object is built, and what a record holds is not judged."""

from __future__ import annotations

import re

import msgspec

from tidelake.collect.scan import elements

LINES = frozenset(
    (
        "application/x-ndjson",
        "application/ndjson",
        "application/jsonl",
        "application/x-jsonlines",
        "application/json-lines",
        "application/jsonlines",
    )
)
# What a decoder raises over bytes that it can not read.
UNREADABLE = (msgspec.MsgspecError, RecursionError, UnicodeDecodeError)
_FIRST = re.compile(rb"[ \t\r\n]*+([^ \t\r\n])")
_ARRAY = msgspec.json.Decoder(list[msgspec.Raw])
_VALUE = msgspec.json.Decoder(msgspec.Raw)


def cut(body: bytes, media_type: str) -> list[bytes]:
    """The records of a body: an array's elements, a lone value, or lines.

    A type that names lines is cut into lines. Any other is looked at: `[` opens an array; one
    whole JSON value is a record; where the first line alone is a whole value, it is lines; all
    else is one record, to be judged later. Raises `Refusal` where an array can not be cut.
    """
    if media_type in LINES:
        return lines(body)
    first = _FIRST.match(body)
    if first is None:
        return []
    if first[1] == b"[":
        return array(body)
    if b"\n" in body and not _is_value(body) and _is_value(body[: _first_line_end(body)]):
        return lines(body)
    return [body]


def lines(body: bytes) -> list[bytes]:
    """Every line that is not blank, whatever it holds; `\\n` and `\\r\\n` end a line."""
    found = body.split(b"\n")
    if b"\r" in body:
        found = [line.removesuffix(b"\r") for line in found]
    return [line for line in found if line and not line.isspace()]


def array(body: bytes) -> list[bytes]:
    """The elements of a JSON array, each as it was sent, without the space around it.

    An array that is not JSON in one of its elements only (NaN, a lone surrogate, a nesting beyond
    the decoder's) is still cut, so that one bad event does not cost its neighbours.
    """
    try:
        return [bytes(element) for element in _ARRAY.decode(body)]
    except UNREADABLE:
        return elements(body)


def _first_line_end(body: bytes) -> int:
    """Where the first line that is not blank ends."""
    first = _FIRST.match(body)
    end = body.find(b"\n", first.end() if first else 0)
    return len(body) if end < 0 else end


def _is_value(text: bytes) -> bool:
    try:
        _VALUE.decode(text)
    except UNREADABLE:
        return False
    return True
