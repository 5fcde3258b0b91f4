"""JSON cut at its outermost commas, by looking at strings, brackets and commas only.

More forgiving than a decoder: one element that is not JSON (NaN, a lone surrogate, a nesting
beyond the decoder's) does not keep its neighbours from being cut out. And bounded: what takes time
is numpy's, which lets other threads run, and no element is built before all are counted.
"""

from __future__ import annotations

import json
import re
from itertools import pairwise

import msgspec
import numpy as np

from tidelake.collect.exchange import Refusal, too_many_records
from tidelake.collect.records import MOST_RECORDS

SPACE = b" \t\r\n"
BLOCK_BYTES = 256 * 1024
SHAPES = {b"[": "array", b"{": "object"}
_MEMBER = re.compile(rb'("(?:[^"\\]++|\\.)*+")[ \t\r\n]*:(.*)', re.DOTALL)
_COMMA, _QUOTE = ord(","), ord('"')
_STEPS = np.zeros(256, np.int8)  # into a container, or out of one
_STEPS[list(b"[{")] = 1
_STEPS[list(b"]}")] = -1


def elements(body: bytes, bracket: bytes = b"[", what: str = "the body") -> list[bytes]:
    """What stands between the outermost commas of an array (or, with `{`, an object).

    Without the space around; raises `Refusal`: 400 where the body is not one whole container or
    has an empty place, 413 over `MOST_RECORDS`.
    """
    start = len(body) - len(body.lstrip(SPACE))
    if body[start : start + 1] != bracket:
        raise _other_than(bracket, body, what)
    commas, end = _outermost(body)
    if body[end + 1 :].strip(SPACE):
        raise _uncuttable(end + 1)
    edges = pairwise((start, *commas, end))
    found = [body[before + 1 : after].strip(SPACE) for before, after in edges]
    if found == [b""]:
        return []
    if b"" in found:
        raise _uncuttable((*commas, end)[found.index(b"")])
    return found


def is_container(body: bytes) -> bool:
    """Whether it is one whole object or array as far as brackets and strings go."""
    opening = body.lstrip(SPACE)[:1]
    try:
        return opening in SHAPES and not body[_outermost(body)[1] + 1 :].strip(SPACE)
    except Refusal as refusal:
        return refusal.status == 413  # too many members to look at: not lines either way


def _outermost(body: bytes) -> tuple[list[int], int]:
    """Where a container's own commas are and where it ends; `body` begins with its bracket."""
    text = body
    if b"\\" in body:  # escaped quotes end no string; positions stay
        text = body.replace(b"\\\\", b"__").replace(b'\\"', b"__")
    commas: list[int] = []
    quoted, depth = False, 0
    for begin in range(0, len(text), BLOCK_BYTES):
        raw = np.frombuffer(text, np.uint8, min(BLOCK_BYTES, len(text) - begin), begin)
        inside = np.logical_xor.accumulate(raw == _QUOTE) ^ quoted
        steps = np.where(inside, np.int8(0), _STEPS[raw])
        depths = np.cumsum(steps, dtype=np.int64) + depth
        ends = np.flatnonzero((depths == 0) & (steps < 0))
        stop = int(ends[0]) if len(ends) else len(raw)
        own = (raw == _COMMA) & (depths == 1) & ~inside
        commas += (np.flatnonzero(own[:stop]) + begin).tolist()
        if len(commas) >= MOST_RECORDS:
            raise too_many_records(MOST_RECORDS)
        if len(ends):
            return commas, begin + stop
        quoted, depth = bool(inside[-1]), int(depths[-1])
    raise _uncuttable(len(body))


def members(body: bytes) -> dict[str, bytes]:
    """The members of an object as slices; of equal names the last wins. Raises `Refusal`."""
    found: dict[str, bytes] = {}
    for element in elements(body, b"{"):
        member = _MEMBER.fullmatch(element)
        if member is None:
            raise _uncuttable(body.find(element))
        try:
            found[json.loads(member[1])] = member[2].strip(SPACE)
        except ValueError as exc:
            raise _uncuttable(body.find(element)) from exc
    return found


def _other_than(bracket: bytes, body: bytes, what: str) -> Refusal:
    try:
        msgspec.json.decode(body, type=msgspec.Raw)
    except (msgspec.MsgspecError, RecursionError):
        return _uncuttable(0)
    return Refusal(
        400,
        "wrong_shape",
        f"{what} is JSON, but no {SHAPES[bracket]}, which it must be here",
        "/docs says what each route takes.",
    )


def _uncuttable(at: int) -> Refusal:
    return Refusal(
        400,
        "not_json",
        f"the body is not whole JSON and can not be cut into records (byte {at:,})",
        "Send one whole JSON value, or one event a line as application/x-ndjson.",
    )
