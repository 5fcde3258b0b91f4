"""Segment's messages: track, identify, page, screen, group, alias.

https://segment.com/docs/connections/spec/ (common fields, calls, e-commerce). One record is one
message; what its request said of all messages (route, `sentAt`, batch-level `context`) is in the
envelope. `_doc` is the whole message, so an evolved column's path begins at the message.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import xxhash

from tidelake.event.verdicts import Flag, Reason
from tidelake.process.clock import instant, placed_by_clock, stated_time
from tidelake.process.columns import Path, evolved_paths, lookup, pick
from tidelake.process.formats.segment_commerce import commerce_columns, products
from tidelake.process.items import canonical_items, canonical_traits
from tidelake.process.refusal import Refused, shown
from tidelake.process.statement import Context, Received, Statement
from tidelake.process.text import parse_object, utf8

CALLS = ("track", "identify", "page", "screen", "group", "alias")
NAMES = {
    "event_id": "messageId",
    "event_name": "event",
    "user_id": "userId",
    "anonymous_id": "anonymousId",
    "previous_id": "previousId",
    "group_id": "groupId",
}
# Where a column is read from: the first path that holds something.
PATHS: tuple[tuple[str, tuple[Path, ...]], ...] = (
    ("user_id", (("userId",),)),
    ("anonymous_id", (("anonymousId",),)),
    ("previous_id", (("previousId",),)),
    ("group_id", (("groupId",), ("context", "groupId"))),
    ("metadata_os", (("context", "os", "name"),)),
    ("metadata_device", (("context", "device", "model"), ("context", "device", "name"))),
    ("user_agent_platform_version", (("context", "os", "version"),)),
    ("user_agent_language", (("context", "locale"),)),
    ("user_agent_timezone", (("context", "timezone"),)),
    ("location_country", (("context", "location", "country"),)),
    ("location_region", (("context", "location", "region"),)),
    ("location_city", (("context", "location", "city"),)),
    ("location_ip_address", (("context", "ip"),)),
    ("location_isp", (("context", "network", "carrier"),)),
    ("campaign_source", (("context", "campaign", "source"),)),
    ("campaign_medium", (("context", "campaign", "medium"),)),
    ("campaign_name", (("context", "campaign", "name"),)),
    ("campaign_term", (("context", "campaign", "term"),)),
    ("campaign_content", (("context", "campaign", "content"),)),
)
PAGE = ("url", "path", "title", "referrer", "search")
DEVICE_TYPES = {"ios": "mobile", "android": "mobile"}


def read(received: Received, context: Context) -> Statement:
    """The statement of a Segment message; raises `Refused`."""
    text = utf8(received.body)
    message = parse_object(text)
    call = _call(message, received)
    flags: set[str] = set()
    view = {**message, "context": _context(message, received, flags)}
    columns = {column: _first(view, paths, flags) for column, paths in PATHS}
    columns |= _page(view, call, flags) | _device(view, flags)
    columns["event_id"] = _message_id(message, flags)
    columns["event_name"] = _name(message, call, flags)
    if call != "track":
        columns["event_type"] = call
    columns |= pick({"_doc": message}, evolved_paths(context.contract), flags)
    items = None
    if call == "track" and isinstance(columns["event_name"], str):
        event_type, _ = context.rules.registry.resolve(columns["event_name"])
        columns |= commerce_columns(view, event_type, flags)
        items = canonical_items(products(view, event_type, flags), flags)
    time, day_time = _time(message, received, context, flags)
    return Statement(
        columns={column: value for column, value in columns.items() if value is not None},
        flags=flags,
        doc=text,
        time=time,
        day_time=day_time,
        time_required=False,
        items=items,
        traits=canonical_traits(_traits(view, call, flags), flags),
        user_agent=_text(lookup(view, ("context", "userAgent"), flags)),
        names=NAMES,
    )


def _call(message: dict[str, Any], received: Received) -> str:
    """Which call it is: the route says so, and where it does not (`/v1/batch`), the message."""
    call = received.envelope.call or message.get("type")
    if call not in CALLS:
        what = "missing" if call is None else shown(call)
        detail = f"type is {what}, not one of {', '.join(CALLS)}"
        raise Refused(Reason.UNKNOWN_MESSAGE, "event_type", detail)
    return str(call)


def _context(message: dict[str, Any], received: Received, flags: set[str]) -> Mapping[str, Any]:
    """The message's context over that of its batch."""
    own = message.get("context")
    if own is not None and not isinstance(own, dict):
        flags.add(Flag.WRONG_TYPE.of("context"))
    return {**received.envelope.context, **(own if isinstance(own, dict) else {})}


def _message_id(message: dict[str, Any], flags: set[str]) -> str:
    """`messageId`; where there is none, a hash of the message without `sentAt`.

    SDKs always send one and repeat it in a retry; of what a retry changes, `sentAt` is all that
    stands in the message itself. Equal messages without an id and a time are one event.
    """
    sent = message.get("messageId")
    if isinstance(sent, str) and sent:
        return sent
    if sent is not None and not isinstance(sent, str):
        flags.add(Flag.WRONG_TYPE.of("event_id"))
    stable = {name: value for name, value in message.items() if name != "sentAt"}
    return xxhash.xxh3_128_hexdigest(json.dumps(stable, separators=(",", ":")).encode())


def _name(message: dict[str, Any], call: str, flags: set[str]) -> Any:
    """The event of a track call (required there), the name of a page or screen, else the call."""
    if call == "track":
        return message.get("event")
    if call in ("page", "screen"):
        for path in (("name",), ("properties", "name"), ("category",)):
            value = lookup(message, path, flags)
            if isinstance(value, str) and value:
                return value
            if value is not None and not isinstance(value, str):
                flags.add(Flag.WRONG_TYPE.of("event_name"))
    return call


def _time(
    message: dict[str, Any], received: Received, context: Context, flags: set[str]
) -> tuple[int | None, int | None]:
    """The time corrected for the client's clock, and the time that it stated."""
    original, timestamp = (
        None if message.get(name) in (None, "") else stated_time(name, message[name])
        for name in ("originalTimestamp", "timestamp")
    )
    if timestamp is not None and original is not None:
        return timestamp, original  # Segment has corrected it already, and sends both on
    stated = original if timestamp is None else timestamp
    sent_at = message.get("sentAt") or received.envelope.sent_at
    if stated is None or sent_at is None:
        return stated, stated
    time = placed_by_clock(stated, instant(sent_at), received.received_at, context.rules, flags)
    return time, stated


def _page(view: dict[str, Any], call: str, flags: set[str]) -> dict[str, Any]:
    """The page: of a page call its own properties, of others that on which it happened."""
    places: tuple[Path, ...] = (("context", "page"),)
    if call == "page":
        places = (("properties",), *places)
    return {
        f"page_{part}": _first(view, tuple((*place, part) for place in places), flags)
        for part in PAGE
    }


def _device(view: dict[str, Any], flags: set[str]) -> dict[str, Any]:
    columns: dict[str, Any] = {}
    width, height = (
        lookup(view, ("context", "screen", side), flags) for side in ("width", "height")
    )
    if _is_size(width) and _is_size(height):
        columns["user_agent_screen_resolution"] = f"{width}x{height}"
    kind = lookup(view, ("context", "device", "type"), flags)
    model = lookup(view, ("context", "device", "model"), flags)
    if isinstance(kind, str):
        tablet = isinstance(model, str) and model.startswith("iPad")
        columns["user_agent_device_type"] = (
            "tablet" if tablet else DEVICE_TYPES.get(kind.lower(), kind)
        )
    for network in ("wifi", "cellular"):
        if lookup(view, ("context", "network", network), flags) is True:
            columns.setdefault("location_connection_type", network)
    return columns


def _traits(view: dict[str, Any], call: str, flags: set[str]) -> Any:
    """What is known of the user; of a group call, of the group."""
    paths: tuple[Path, ...] = (("traits",), ("context", "traits"))
    return _first(view, paths if call in ("identify", "group") else paths[1:], flags)


def _first(view: dict[str, Any], paths: tuple[Path, ...], flags: set[str]) -> Any:
    for path in paths:
        value = lookup(view, path, flags)
        if value is not None:
            return value
    return None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _is_size(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 100_000
