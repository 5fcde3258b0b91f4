"""A body becomes records by slices: no object is built, and what a record holds is not judged."""

from __future__ import annotations

import json
import re

import msgspec

from tidelake.collect.exchange import too_many_records
from tidelake.collect.records import MOST_RECORDS, may_hold_too_many
from tidelake.collect.scan import elements, is_container

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
MARK = b"\xef\xbb\xbf"  # what Windows programs write before UTF-8
# A longer line is not parsed to see whether it is an event: none is that large.
MOST_TRIED_BYTES = 64 * 1024
_FIRST = re.compile(rb"[ \t\r\n]*+([^ \t\r\n])")
_ARRAY = msgspec.json.Decoder(list[msgspec.Raw])
_VALUE = msgspec.json.Decoder(msgspec.Raw)


def cut(body: bytes, media_type: str) -> list[bytes]:
    """The records of a body: an array's elements, a lone value, or lines.

    A type that names lines is cut into lines. Any other is looked at: `[` opens an array; one
    whole JSON value is a record; where any line alone is a whole object, it is lines, since one
    bad line must not cost its neighbours; all else is one record, to be judged later. Raises
    `Refusal`: 400 where an array can not be cut, 413 over `MOST_RECORDS`.
    """
    body = unmarked(body)
    if media_type in LINES:
        return lines(body)
    first = _FIRST.match(body)
    if first is None:
        return []
    if first[1] == b"[":
        return array(body)
    if b"\n" not in body.strip() or _is_value(body):
        return [body]
    found = lines(body)
    if _is_object(found[0]) or (not is_container(body) and any(map(_is_object, found))):
        return found
    return [body]


def unmarked(body: bytes) -> bytes:
    """The body without a leading byte order mark, which belongs to no record."""
    return body.removeprefix(MARK)


def lines(body: bytes) -> list[bytes]:
    """Every line that is not empty, whatever it holds; `\\n` and `\\r\\n` end a line.

    One of spaces is a record that will be rejected, as it is in files (`sources/lines.py`).
    """
    if len(body) > MOST_RECORDS and body.count(b"\n") > MOST_RECORDS:
        raise too_many_records(MOST_RECORDS)
    found = body.split(b"\n")
    if b"\r" in body:
        found = [line.removesuffix(b"\r") for line in found]
    return [line for line in found if line]


def array(body: bytes) -> list[bytes]:
    """The elements of a JSON array, each as it was sent, without the space around it.

    An array that is not JSON in one of its elements only (NaN, a lone surrogate, a nesting beyond
    the decoder's) is still cut, so that one bad event does not cost its neighbours. Raises
    `Refusal` as `elements` does.
    """
    body = unmarked(body)
    if not may_hold_too_many(body):
        try:
            return [bytes(element) for element in _ARRAY.decode(body)]
        except UNREADABLE:
            pass
    return elements(body)


def _is_value(text: bytes) -> bool:
    try:
        _VALUE.decode(text)
    except UNREADABLE:
        return False
    return True


def _is_object(line: bytes) -> bool:
    """Whether a line is an object, also one with NaN or half a surrogate pair in it."""
    if not line.lstrip().startswith(b"{") or len(line) > MOST_TRIED_BYTES:
        return False
    if _is_value(line):
        return True
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True
