"""The identity of an event: equal for every retry of it, different for any other event."""

from __future__ import annotations

import xxhash

# Segment's messageId, CloudEvents' source + id and a CDC position are unique by their own rules.
# The native event_id is not: six-digit ids are in use, so the record's bytes are part of the key.
STRONG_ID_FORMATS = frozenset({"segment", "cloudevents", "cdc"})


def _framed(part: bytes) -> bytes:
    return len(part).to_bytes(8, "little") + part


def event_key(format: str, project: str | None, event_id: str, body: bytes = b"") -> bytes:
    """16 bytes: xxh3-128 over format, project, id and (native only) the record, length-prefixed.

    `event_id` is the identity that the format states: for CloudEvents `source` and `id`, framed by
    the caller into one string. Lone surrogates in an id are hashed as they were escaped.
    """
    digest = xxhash.xxh3_128()
    digest.update(_framed(format.encode()))
    digest.update(_framed((project or "").encode()))
    digest.update(_framed(event_id.encode("utf-8", "surrogatepass")))
    if format not in STRONG_ID_FORMATS:
        digest.update(_framed(body))
    return digest.digest()
