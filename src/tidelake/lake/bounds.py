"""Bounds as Iceberg wants them: little-endian numbers, and text cut to 16 characters.

A cut upper bound is raised to the next text of that length, so that it stays a bound. What a
writer must give is in https://iceberg.apache.org/spec/#manifests (`lower_bounds`, `upper_bounds`)
and in its appendix D; the cut is the metrics mode `truncate(16)` of Iceberg's own writers.
"""

from __future__ import annotations

import struct
from typing import Any

from tidelake.event.fields import Type

LENGTH = 16
LAST_CHARACTER = 0x10FFFF
FIRST_SURROGATE, LAST_SURROGATE = 0xD800, 0xDFFF

_NUMBERS = {
    Type.LONG: struct.Struct("<q"),
    Type.TIMESTAMP: struct.Struct("<q"),
    Type.DOUBLE: struct.Struct("<d"),
    Type.DATE: struct.Struct("<i"),
    Type.BOOLEAN: struct.Struct("<?"),
}


def lower(type: Type, value: Any) -> bytes:
    """Iceberg's bytes of a column's least value, which is given as Parquet's physical value."""
    if type in _NUMBERS:
        return _NUMBERS[type].pack(value)
    if type is Type.STRING:
        return cut_text(value)
    return bytes(value[:LENGTH])


def upper(type: Type, value: Any) -> bytes | None:
    """Iceberg's bytes of a column's greatest value; none where no 16 characters are above it."""
    if type in _NUMBERS:
        return _NUMBERS[type].pack(value)
    if type is Type.STRING:
        kept = cut_text(value)
        return kept if len(kept) == len(value) else _next_text(kept)
    kept = bytes(value[:LENGTH])
    return kept if len(kept) == len(value) else _next_bytes(kept)


def cut_text(value: bytes) -> bytes:
    """The first 16 characters (not bytes) of UTF-8 text."""
    if len(value) <= LENGTH:
        return value
    # A character has four bytes at most, so nothing beyond 64 can be among the first 16.
    head = value[: 4 * LENGTH].decode("utf-8", "ignore")
    return head[:LENGTH].encode()


def _next_text(kept: bytes) -> bytes | None:
    """The least text of at most as many characters that is above every text that begins so."""
    text = kept.decode()
    while text:
        raised = ord(text[-1]) + 1
        if FIRST_SURROGATE <= raised <= LAST_SURROGATE:
            raised = LAST_SURROGATE + 1  # no character of UTF-8
        if raised <= LAST_CHARACTER:
            return (text[:-1] + chr(raised)).encode()
        text = text[:-1]
    return None


def _next_bytes(kept: bytes) -> bytes | None:
    head = kept.rstrip(b"\xff")
    return head[:-1] + bytes([head[-1] + 1]) if head else None
