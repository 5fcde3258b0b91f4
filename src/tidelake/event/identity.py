"""The identity of an event: equal for every retry of it, different for any other event."""

from __future__ import annotations

import xxhash

# Segment's messageId, CloudEvents' source + id and a CDC position are unique by their own rules.
# The native event_id is not: six-digit ids are in use, so the record's bytes are part of the key.
STRONG_ID_FORMATS = frozenset({"segment", "cloudevents", "cdc"})


def framed(part: bytes) -> bytes:
    """The part behind its length, so that no two lists of parts give the same bytes."""
    return len(part).to_bytes(8, "little") + part


def key_prefix(format: str, project: str | None) -> bytes:
    """What all keys of one format and project are hashed from first."""
    return framed(format.encode()) + framed((project or "").encode())


def event_key(format: str, project: str | None, event_id: str, body: bytes = b"") -> bytes:
    """16 bytes: xxh3-128 over format, project, id and (native only) the record, length-prefixed.

    `event_id` is the identity that the format states: for CloudEvents `source` and `id`, framed by
    the caller into one string. Lone surrogates in an id are hashed as they were escaped.
    """
    hashed = key_prefix(format, project) + framed(event_id.encode("utf-8", "surrogatepass"))
    if format not in STRONG_ID_FORMATS:
        hashed += framed(body)
    return xxhash.xxh3_128_digest(hashed)
