"""Bytes of a record become one JSON object, strictly: the slow decoder, whose verdict is final.

Standard library `json` in its C form, made strict: UTF-8 without a byte order mark, no NaN, no
unbounded digits, nothing deeper than 128. Of duplicate keys the last wins.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from json.decoder import scanstring  # type: ignore[attr-defined]  # public, but not in typeshed
from typing import Any, NoReturn, TypeVar, cast

from tidelake.event.verdicts import MAX_DEPTH, Reason
from tidelake.process.refusal import Refused, shown

Object = TypeVar("Object")

BYTE_ORDER_MARKS = {
    b"\xef\xbb\xbf": "UTF-8",
    b"\xff\xfe": "UTF-16 or UTF-32, little endian",
    b"\xfe\xff": "UTF-16, big endian",
    b"\x00\x00\xfe\xff": "UTF-32, big endian",
}
SPACE = re.compile(r"[ \t\n\r]*")
# A string, whole or cut off at the end, or one bracket.
STRING_OR_BRACKET = re.compile(r'"(?:[^"\\]|\\.)*+"?|[\[\]{}]', re.DOTALL)
LONGEST_INTEGER = len(str(-(2**63)))
UNSTORABLE = re.compile("[\0\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Parsed:
    """A record: its members, its text, and where in the text the value of each member stands."""

    members: dict[str, Any]
    text: str
    spans: dict[str, tuple[int, int]]


def utf8(body: bytes) -> str:
    """The record as text; raises `Refused`."""
    for mark, encoding in BYTE_ORDER_MARKS.items():
        if body.startswith(mark):
            raise Refused(
                Reason.BYTE_ORDER_MARK, None, f"starts with the byte order mark of {encoding}"
            )
    try:
        return body.decode()
    except UnicodeDecodeError as exc:
        byte = body[exc.start]
        raise Refused(
            Reason.NOT_UTF8, None, f"byte 0x{byte:02x} at offset {exc.start} is not UTF-8"
        ) from exc


def parse_object(text: str) -> dict[str, Any]:
    """The one JSON object that the text is; raises `Refused`."""
    return _strictly(text, _whole)


def parse_record(text: str) -> Parsed:
    """The one JSON object that the text is, and where its members stand; raises `Refused`."""
    return _strictly(text, _members)


def clean(text: str) -> str:
    """The text with U+0000 and lone surrogates, which no column can hold, as U+FFFD."""
    return UNSTORABLE.sub("�", text)


def _strictly(text: str, read: Callable[[str, int], Object]) -> Object:
    _refuse_depth(text)
    start = _skip(text, 0)
    try:
        if text.startswith("{", start):
            return read(text, start)
        value, end = _DECODER.raw_decode(text, start)
        _refuse_trailing(text, end)
    except json.JSONDecodeError as exc:
        raise Refused(Reason.NOT_JSON, None, _malformed(text, exc)) from exc
    raise Refused(Reason.NOT_AN_OBJECT, None, f"is {shown(value)}, not an object")


def _whole(text: str, at: int) -> dict[str, Any]:
    members, end = _DECODER.raw_decode(text, at)
    _refuse_trailing(text, end)
    return cast(dict[str, Any], members)


def _members(text: str, at: int) -> Parsed:
    """Reads the object that opens at `at`, member by member, to know where each value stands."""
    members: dict[str, Any] = {}
    spans: dict[str, tuple[int, int]] = {}
    at = _skip(text, at + 1)
    if text[at : at + 1] == "}":
        _refuse_trailing(text, at + 1)
        return Parsed(members, text, spans)
    while True:
        if text[at : at + 1] != '"':
            raise json.JSONDecodeError(
                "Expecting property name enclosed in double quotes", text, at
            )
        key, at = scanstring(text, at + 1, True)
        at = _skip(text, at)
        if text[at : at + 1] != ":":
            raise json.JSONDecodeError("Expecting ':' delimiter", text, at)
        start = _skip(text, at + 1)
        members[key], end = _DECODER.raw_decode(text, start)
        spans[key] = (start, end)
        at = _skip(text, end)
        if text[at : at + 1] == "}":
            _refuse_trailing(text, at + 1)
            return Parsed(members, text, spans)
        if text[at : at + 1] != ",":
            raise json.JSONDecodeError("Expecting ',' delimiter", text, at)
        at = _skip(text, at + 1)


def _refuse_depth(text: str) -> None:
    # Brackets are counted first: the C scanner has a recursion limit of its own, and its error
    # would depend on how deep the caller's stack is.
    if text.count("{") + text.count("[") <= MAX_DEPTH:
        return
    depth = 0
    for token in STRING_OR_BRACKET.finditer(text):
        bracket = text[token.start()]
        if bracket in "[{":
            depth += 1
            if depth > MAX_DEPTH:
                raise Refused(Reason.TOO_DEEP, None, f"is nested deeper than {MAX_DEPTH}")
        elif bracket in "]}":
            depth -= 1


def _refuse_trailing(text: str, end: int) -> None:
    if _skip(text, end) != len(text):
        raise json.JSONDecodeError("Extra data", text, _skip(text, end))


def _skip(text: str, at: int) -> int:
    space = SPACE.match(text, at)
    return space.end() if space else at


def _malformed(text: str, exc: json.JSONDecodeError) -> str:
    if not text.strip():
        return "is empty"
    return f"is not JSON: {exc.msg} at character {exc.pos}"


def _constant(name: str) -> NoReturn:
    raise Refused(Reason.NOT_JSON, None, f"is not JSON: it holds {name}")


def _integer(digits: str) -> int | float:
    # Python refuses to convert thousands of digits; beyond 64 bits they are no integer for any
    # column, and a finite or infinite float says so.
    number = int(digits) if len(digits) <= LONGEST_INTEGER else float(digits)
    return number if -(2**63) <= number < 2**63 else float(digits)


_DECODER = json.JSONDecoder(parse_int=_integer, parse_constant=_constant)
