"""How clients go wrong: good lines spoiled in a named way, and lines sent twice.

Every kind is a record that a pipeline has to reject, and stays one line, so that its neighbours
can be saved. Each function takes the good line without its newline and gives the bad one.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeVar

from tidelake.generate.draw import Rng

T = TypeVar("T")
Fault = Callable[[bytes, Rng], bytes]

_NOT_JSON = (
    b"<html><body><h1>502 Bad Gateway</h1></body></html>",
    b"event_id=4711&event_type=page_view&user_id=user_17",
    b"2026-11-23 10:15:00,123 INFO sending batch of 20 events",
    b"{event_id: 'a', event_type: 'click'}",
    b"undefined",
    b'<?xml version="1.0"?><event/>',
)
_NOT_AN_OBJECT = (b"null", b"true", b"42", b'"page_view"', b"[]", b'["event_id","event_type"]')
_ABSURD_TIMES = (
    b'"0001-01-01T00:00:00Z"',
    b'"9999-12-31T23:59:59Z"',
    b'"yesterday"',
    b'"2026-13-45T25:61:00Z"',
    b'"23/11/2026 10:15"',
    b"-1",
    b"99999999999999999",
    b'"NaN"',
)
_WRONG_TYPES = (
    (b"event_id", b"123456"),
    (b"event_id", b'["a"]'),
    (b"event_type", b"7"),
    (b"event_type", b'{"name":"click"}'),
    (b"timestamp", b"true"),
    (b"timestamp", b"{}"),
)
_BROKEN_UTF8 = (
    b"\xff\xfe",
    b"\xc3\x28",
    b"\xe2\x82",
    b"\xf0\x28\x8c\xbc",
    b"\xed\xa0\x80",
    b"\x80",
)


def _choose(options: tuple[T, ...], rng: Rng) -> T:
    return options[int(rng.integers(len(options)))]


def _value_of(line: bytes, field: bytes) -> tuple[int, int]:
    """Where the value of a string field of the record begins and ends, quotes included."""
    begin = line.index(b'"' + field + b'":"') + len(field) + 3
    return begin, line.index(b'"', begin + 1) + 1


def _with(line: bytes, field: bytes, value: bytes) -> bytes:
    begin, end = _value_of(line, field)
    return line[:begin] + value + line[end:]


def _without(line: bytes, field: bytes) -> bytes:
    """The line without a field of the record, which is not its last."""
    return re.sub(b'"' + field + b'":"[^"]*",', b"", line, count=1)


def not_json(line: bytes, rng: Rng) -> bytes:
    """Something that was never JSON."""
    return _choose(_NOT_JSON, rng)


def truncated(line: bytes, rng: Rng) -> bytes:
    """Cut between two letters, as by a connection that broke."""
    cut = line[: int(rng.integers(20, len(line) - 1))]
    return cut.decode(errors="ignore").encode()


def missing_event_id(line: bytes, rng: Rng) -> bytes:
    """No id, or none to speak of."""
    return _choose((_without(line, b"event_id"), _with(line, b"event_id", b"null")), rng)


def missing_event_type(line: bytes, rng: Rng) -> bytes:
    return _choose((_without(line, b"event_type"), _with(line, b"event_type", b"null")), rng)


def missing_timestamp(line: bytes, rng: Rng) -> bytes:
    return _choose((_without(line, b"timestamp"), _with(line, b"timestamp", b"null")), rng)


def missing_user(line: bytes, rng: Rng) -> bytes:
    """Neither a known user nor an anonymous one."""
    return _without(_without(line, b"user_id"), b"anonymous_id")


def bad_timestamp(line: bytes, rng: Rng) -> bytes:
    """A time that is none, or one of another age."""
    return _with(line, b"timestamp", _choose(_ABSURD_TIMES, rng))


def future_timestamp(line: bytes, rng: Rng) -> bytes:
    """A clock that is decades ahead, so that it is in the future whenever the file is sent."""
    begin, end = _value_of(line, b"timestamp")
    time = datetime.fromisoformat(line[begin + 1 : end - 1].decode())
    ahead = time + timedelta(days=int(rng.integers(18_000, 30_000)))
    return _with(line, b"timestamp", f'"{ahead:%Y-%m-%dT%H:%M:%S}.000Z"'.encode())


def wrong_type(line: bytes, rng: Rng) -> bytes:
    """A required field that holds something else than text."""
    return _with(line, *_choose(_WRONG_TYPES, rng))


def invalid_utf8(line: bytes, rng: Rng) -> bytes:
    """Bytes inside a text that no UTF-8 has."""
    _, end = _value_of(line, b"browser")
    return line[: end - 1] + _choose(_BROKEN_UTF8, rng) + line[end - 1 :]


def not_an_object(line: bytes, rng: Rng) -> bytes:
    """JSON, but no record."""
    return _choose((*_NOT_AN_OBJECT, b"[" + line + b"]"), rng)


def too_long_id(line: bytes, rng: Rng) -> bytes:
    """An id of 300 to 6,000 letters."""
    return _with(line, b"event_id", b'"' + b"x" * int(rng.integers(300, 6000)) + b'"')


FAULTS: dict[str, Fault] = {
    fault.__name__: fault
    for fault in (
        not_json,
        truncated,
        missing_event_id,
        missing_event_type,
        missing_timestamp,
        missing_user,
        bad_timestamp,
        wrong_type,
        invalid_utf8,
        not_an_object,
        future_timestamp,
        too_long_id,
    )
}
