"""JSON cut at its outermost commas, by looking at strings, brackets and commas only.

Slower than a decoder and more forgiving: one element that is not JSON (NaN, a lone surrogate, a
nesting beyond the decoder's) does not keep its neighbours from being cut out.
"""

from __future__ import annotations

import json
import re

from tidelake.collect.exchange import Refusal

SPACE = b" \t\r\n"
_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+"|[\[\]{},"]', re.DOTALL)
_MEMBER = re.compile(rb'("(?:[^"\\]++|\\.)*+")[ \t\r\n]*:(.*)', re.DOTALL)
_OPEN, _CLOSE = frozenset(b"[{"), frozenset(b"]}")
_COMMA, _QUOTE = ord(","), ord('"')


def elements(body: bytes, bracket: bytes = b"[") -> list[bytes]:
    """What stands between the outermost commas of an array (or, with `{`, an object).

    Without the space around; raises `Refusal` (400) where the body is not one whole container, or
    has an empty place.
    """
    if body.lstrip(SPACE)[:1] != bracket:
        raise _uncuttable(0)
    found: list[bytes] = []
    depth = start = end = 0
    for token in _TOKEN.finditer(body):
        at = token.start()
        mark = body[at]
        if end or (mark == _QUOTE and token.end() == at + 1):
            raise _uncuttable(at)
        if mark in _OPEN:
            depth += 1
            start = at + 1 if depth == 1 else start
        elif mark in _CLOSE:
            depth -= 1
            end = 0 if depth else at + 1
        if end or (mark == _COMMA and depth == 1):
            found.append(body[start:at].strip(SPACE))
            start = at + 1
    if not end or body[end:].strip(SPACE) or (b"" in found and found != [b""]):
        raise _uncuttable(end or len(body))
    return [] if found == [b""] else found


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


def _uncuttable(at: int) -> Refusal:
    return Refusal(
        400,
        "not_json",
        f"the body is not whole JSON and can not be cut into records (byte {at:,})",
        "Send one whole JSON value, or one event a line as application/x-ndjson.",
    )
