"""Segment's HTTP Tracking API, as its SDKs speak it.

https://segment.com/docs/connections/sources/catalog/libraries/server/http-api/
"""

from __future__ import annotations

import json

import msgspec

from tidelake.collect.cut import UNREADABLE, unmarked
from tidelake.collect.exchange import Answer, Refusal, Request
from tidelake.collect.records import Cut, may_hold_too_many
from tidelake.collect.redact import without_key
from tidelake.collect.scan import elements, members

NO_BATCH = "no_batch"
EMPTY = msgspec.Raw()
SUCCESS = Answer(200, b'{"success":true}')
# What analytics.js asks its settings route for: no destinations, send everything here.
SETTINGS = Answer(
    200,
    msgspec.json.encode(
        {
            "integrations": {"Segment.io": {"apiKey": "", "unbundledIntegrations": []}},
            "plan": {"track": {"__default": {"enabled": True}}},
            "edgeFunction": {},
            "enabledMiddleware": {},
            "remotePlugins": [],
        }
    ),
)


class Batch(msgspec.Struct):
    """What the collector reads of a request; of a single message the key only."""

    batch: list[msgspec.Raw] | msgspec.UnsetType = msgspec.UNSET
    context: msgspec.Raw = EMPTY
    integrations: msgspec.Raw = EMPTY
    sent_at: msgspec.Raw = msgspec.field(default=EMPTY, name="sentAt")
    write_key: msgspec.Raw = msgspec.field(default=EMPTY, name="writeKey")


class Message(msgspec.Struct):
    """What the collector reads of a single message; the rest is not looked at."""

    write_key: msgspec.Raw = msgspec.field(default=EMPTY, name="writeKey")


_BATCH = msgspec.json.Decoder(Batch)
_MESSAGE = msgspec.json.Decoder(Message)


def cut_message(request: Request, body: bytes, max_event_bytes: int, call: str = "") -> Cut:
    """One message; its kind is the route's `call`, or without one its own `type`.

    Segment answers 400 for one over the limit.
    """
    body = unmarked(body)
    if len(body) > max_event_bytes:
        raise _refused(
            "too_large",
            f"the message is larger than the limit of {max_event_bytes:,} bytes",
            "Send fewer or shorter properties.",
        )
    try:
        key: bytes | msgspec.Raw = _MESSAGE.decode(body).write_key
    except UNREADABLE:
        key = members(body).get("writeKey", b"")
    return Cut([without_key(body)], "segment", {"type": call}, _text(key))


def cut_batch(request: Request, body: bytes, max_event_bytes: int) -> Cut:
    """The messages of a batch; what it says about all of them are facts.

    A message over the limit is stored and rejected later: a 400 would cost its neighbours, since
    Segment's SDKs drop the batch.
    """
    found = _batch(unmarked(body))
    if found.batch is msgspec.UNSET:
        raise _refused(
            NO_BATCH,
            "the body has no member `batch`",
            'Send {"batch": [message, …]}, or a single message to its own route.',
        )
    facts = {
        "sentAt": _shared(found.sent_at),
        "context": _shared(found.context),
        "integrations": _shared(found.integrations),
    }
    messages = [without_key(bytes(message)) for message in found.batch]
    return Cut(messages, "segment", facts, _text(found.write_key))


def cut_any(request: Request, body: bytes, max_event_bytes: int) -> Cut:
    """A batch, or a single message that names its own `type`: for a route that is for both."""
    try:
        return cut_batch(request, body, max_event_bytes)
    except Refusal as refusal:
        if refusal.code != NO_BATCH:
            raise
        return cut_message(request, body, max_event_bytes)


def succeeded(_records: int) -> Answer:
    """What Segment's SDKs look for."""
    return SUCCESS


def _batch(body: bytes) -> Batch:
    if not may_hold_too_many(body):
        try:
            return _BATCH.decode(body)
        except UNREADABLE:
            pass
    return _scanned(body)


def _scanned(body: bytes) -> Batch:
    """A batch with something in it that is not JSON, cut all the same; raises `Refusal`."""
    found = {name: msgspec.Raw(value) for name, value in members(body).items()}
    messages: list[msgspec.Raw] | msgspec.UnsetType = msgspec.UNSET
    if "batch" in found:
        cut = elements(bytes(found["batch"]), what="the member `batch`")
        messages = [msgspec.Raw(message) for message in cut]
    return Batch(
        messages,
        found.get("context", EMPTY),
        found.get("integrations", EMPTY),
        found.get("sentAt", EMPTY),
        found.get("writeKey", EMPTY),
    )


def _text(raw: bytes | msgspec.Raw) -> str:
    """The text of a JSON string; empty for anything else."""
    try:
        return msgspec.json.decode(raw, type=str)
    except UNREADABLE:
        return ""


def _shared(raw: msgspec.Raw) -> msgspec.Raw | None:
    """A member that goes into the envelope as it was sent; null where that is not JSON.

    A lone surrogate is JSON for clients that cut a text between its halves, and stays.
    """
    text = without_key(bytes(raw))
    if not text:
        return None
    try:
        json.loads(text.decode("utf-8"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return None
    return msgspec.Raw(text)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _refused(code: str, message: str, hint: str) -> Refusal:
    return Refusal(400, code, message, hint)
