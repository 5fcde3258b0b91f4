"""A write key in a body is never stored."""

from __future__ import annotations

import re

_MEMBER = re.compile(
    rb'("'
    + b"".join(rb"(?:%c|\\u00(?i:%02x))" % (c, c) for c in b"writeKey")
    + rb'"[ \t\r\n]*:[ \t\r\n]*)'
    rb'"(?:[^"\\]++|\\.)*+"',
    re.DOTALL,
)


def without_key(record: bytes) -> bytes:
    """The bytes with `null` for the text of every member `writeKey`, at any depth.

    In JSON the pattern can not match inside a string: there, quotes are escaped. Everything else
    stays as it was received.
    """
    if b"\\" not in record and b"riteKey" not in record:
        return record
    return _MEMBER.sub(rb"\1null", record)
