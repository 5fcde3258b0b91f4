"""Native records as a hostile client would write them; seeded, so that failures come again."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Any

from tidelake.event.contract import Contract
from tidelake.event.fields import Type

TEXTS = ("", "a", "Grüße", "日本", "\U0001f600", 'quo"te', "back\\slash", "line\nfeed", "x" * 300)
IDS = ("e1", "user_17", "", "i" * 256, "i" * 257, "é" * 128, "é" * 129, "\x00", "\ud800", "💥")
NUMBERS = (0, -0.0, 1, -1, 12.0, 1e3, 0.1, 1.7e308, 5e-324, 2**53 + 1, 2**63 - 1, 2**63, -(2**63))
TIMES = (
    "2026-11-23T10:15:00.123Z",
    "2026-11-23T10:15:00Z",
    "2026-11-23T10:15:00.123456Z",
    "2026-11-23T10:15:00.1234567Z",
    "2026-11-23T10:15:00",
    "2026-11-23T10:15:00+02:00",
    "2026-11-23T23:59:60Z",
    "2026-11-23T24:00:00Z",
    "2026-02-30T10:15:00Z",
    "2026-11-23",
    "20261123T101500Z",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z",
    "1969-12-31T23:59:59.5Z",
    "2026-11-23T10:15Z",
    "2026-11-23t10:15:00z",
    "2026-11-23 10:15:00.5Z",
    "2026-11-23T10:15:00.Z",
    "\uff12026-11-23T10:15:00Z",
    "1763892900",
    "",
    1763892900,
    1763892900.25,
    1763892900123,
    1e11,
    1e14,
    -1,
    2**70,
)
ANYTHING = (None, True, [], {}, [[]], {"a": {}}, *TEXTS, *IDS, *NUMBERS, *TIMES)
TOKENS = (
    b"null", b"true", b"NaN", b"Infinity", b"-Infinity", b"1e400", b"-1e400", b"-0", b"01", b"1.",
    b".5", b"+1", b"0x10", b"1e5", b"12.0", b"9223372036854775808", b"18446744073709551616",
    b"123456789012345678901234567890", b"1" * 400, b"0." + b"1" * 60, b"/**/", b"\xe2\x80\xa8",
    rb'"\u0000"', rb'"\ud800"', rb'"\udc00"', rb'"\ud83d\ude00"', rb'"\ud83d\u0041"', rb'"\q"',
    rb'"\u12"', b'"\t"', b'"\x00"', b'"\xff"', b'"\xed\xa0\x80"', b'"\xc0\x80"', b"\\", rb"\u0000",
    rb"\\u0000", b"{}", b"[]", b"[1,]", b'{"a":1,}', b"{,}", b'"', b"}", b"{", b",", b":", b"\x7f",
    b"[" * 127 + b"]" * 127, b"[" * 200 + b"]" * 200, b'{"a":' * 60 + b"1" + b"}" * 60, b"\x0b",
    b"\xef\xbb\xbf", b" ", b"\r\n", b'"_doc":', b'"_doc":{},', b'"_doc":null,', b'"metadata":[],',
    rb'"\u005fdoc":{"page":{"url":"x"}},', b'"event_id":"again",', b'"timestamp":0,',
    b'"user_id":5,',
)  # fmt: skip
# What a record may begin or end with, or be altogether.
EDGES = (b"\xef\xbb\xbf", b"\xff\xfe", b" ", b"\n", b"[", b"]", b"x", b"\x00", b"{}")
LONG = b'"' + b"x" * 40_000 + b'"'
WHOLES = (b"", b" ", b"null", b"[]", b"42", b'"text"', b"{}", b"[" * 5000, LONG)


def records(contract: Contract, seed: int, count: int) -> Iterator[bytes]:
    """Records of which some are right, most nearly so, and many not at all."""
    random = Random(seed)
    for _ in range(count):
        yield _mutated(random, _text(random, _event(random, contract)))


def messages(examples: Sequence[dict[str, Any]], seed: int, count: int) -> Iterator[bytes]:
    """Messages of a foreign format: the examples, some of their values replaced, and mutated."""
    random = Random(seed)
    for _ in range(count):
        message = json.loads(json.dumps(random.choice(examples)))
        for _ in range(random.randrange(4)):
            _spoil(random, message)
        yield _mutated(random, _text(random, message))


def _mutated(random: Random, body: bytes) -> bytes:
    for _ in range(random.choice((0, 0, 1, 1, 1, 2, 4))):
        body = random.choice(MUTATIONS)(random, body)
    return body


def _spoil(random: Random, node: dict[str, Any]) -> None:
    """Replaces a value somewhere in the message."""
    while node:
        name = random.choice(list(node))
        if not isinstance(node[name], dict) or random.random() < 0.2:
            node[name] = random.choice(ANYTHING)
            return
        node = node[name]


def _event(random: Random, contract: Contract) -> dict[str, Any]:
    event: dict[str, Any] = {
        "event_id": _mostly(random, "e1", IDS),
        "event_type": _mostly(random, "page_view", ("Order Completed", "Zap!", "", 7, *IDS)),
        "timestamp": _mostly(random, TIMES[0], TIMES),
        "user_id": _mostly(random, "user_17", IDS),
    }
    for field in random.sample(contract.sent_fields, random.randrange(12)):
        if field.name not in ("event_id", "event_name", "event_time", "_doc"):
            _place(random, event, field.path, _value(random, field.type))
    if random.random() < 0.3:
        holder = random.choice(("order", "cart", "traits", "product"))
        _place(random, event, ("_doc", holder), _commerce(random, holder))
    if random.random() < 0.1:
        event.pop(random.choice(list(event)))
    if random.random() < 0.05:
        _place(random, event, ("_doc",), random.choice((None, 5, [], "text", {})))
    return event


def _commerce(random: Random, holder: str) -> Any:
    product = {
        name: random.choice((value, None, 3, "x", 2.0, "\x00"))
        for name, value in {"product_id": "p1", "price": 9.5, "quantity": 2, "color": "red"}.items()
        if random.random() < 0.8
    }
    if random.random() < 0.6:
        product = {"product_id": "p1", "name": "Schuh", "price": 9, "quantity": 1}
    if holder in ("order", "cart"):
        return {"items": random.choice(([product], [], [product, product], [product, 5], {}, None))}
    return product


def _value(random: Random, type: Type) -> Any:
    right: dict[Type, tuple[Any, ...]] = {
        Type.STRING: TEXTS,
        Type.LONG: (0, 1, -7, 2**63 - 1),
        Type.DOUBLE: (0, 1, 2.5, -1e-7, 2**53 + 1),
        Type.BOOLEAN: (True, False),
        Type.TIMESTAMP: TIMES[:3],
    }
    wrong = (None, True, "1", [], {}, {"a": [1]}, *NUMBERS, *TIMES, "\x00", "\udfff")
    return random.choice(wrong if random.random() < 0.1 else right[type])


def _mostly(random: Random, usual: Any, others: tuple[Any, ...]) -> Any:
    return usual if random.random() < 0.8 else random.choice(others)


def _place(random: Random, event: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    node = event
    for step in path[:-1]:
        below = node.setdefault(step, {})
        if not isinstance(below, dict):
            return
        node = below
    node[path[-1]] = value


def _text(random: Random, event: dict[str, Any]) -> bytes:
    members = list(event.items())
    if random.random() < 0.5:
        random.shuffle(members)
    text = json.dumps(
        dict(members),
        ensure_ascii=random.random() < 0.5,
        separators=random.choice(((",", ":"), (", ", ": "))),
        indent=random.choice((None, None, None, 1)),
    )
    return text.encode("utf-8", "surrogatepass")


def _flip(random: Random, body: bytes) -> bytes:
    at = random.randrange(len(body) or 1)
    return body[:at] + bytes([random.randrange(256)]) + body[at + 1 :]


def _cut(random: Random, body: bytes) -> bytes:
    return body[: random.randrange(len(body) + 1)]


def _drop(random: Random, body: bytes) -> bytes:
    at = random.randrange(len(body) + 1)
    return body[:at] + body[at + random.randrange(1, 8) :]


def _swap(random: Random, body: bytes) -> bytes:
    a, b, c = sorted(random.randrange(len(body) + 1) for _ in range(3))
    return body[:a] + body[b:c] + body[a:b] + body[c:]


def _repeat(random: Random, body: bytes) -> bytes:
    a, b = sorted(random.randrange(len(body) + 1) for _ in range(2))
    return body[:b] + body[a:b] + body[b:]


def _insert(random: Random, body: bytes) -> bytes:
    at = random.randrange(len(body) + 1)
    return body[:at] + random.choice(TOKENS) + body[at:]


def _member(random: Random, body: bytes) -> bytes:
    """A hostile value, or a whole member, where the grammar has room for one."""
    places = [at + 1 for at, byte in enumerate(body) if byte in b":,{["]
    at = random.choice(places) if places else 0
    end = at
    while end < len(body) and body[end] not in b",}]":
        end += 1
    keep = body[end:] if random.random() < 0.6 else body[at:]
    return body[:at] + random.choice(TOKENS) + keep


def _edge(random: Random, body: bytes) -> bytes:
    edge = random.choice(EDGES)
    return edge + body if random.random() < 0.5 else body + edge


def _whole(random: Random, body: bytes) -> bytes:
    return random.choice(WHOLES)


MUTATIONS: tuple[Callable[[Random, bytes], bytes], ...] = (
    _flip, _cut, _drop, _swap, _repeat, _edge, _whole, *[_insert] * 2, *[_member] * 5,
)  # fmt: skip
