"""What the request knew and the record does not."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

from tidelake.process.text import clean

NOTHING: Mapping[str, Any] = {}
SMALL_BYTES: Final = 4096


@dataclass(frozen=True, slots=True)
class Envelope:
    """The members of an envelope that `process` reads; `text` is all of it, as a column holds it.

    Members that are absent or of another type are None (or empty), since an envelope is written by
    a source of ours and is never a reason to refuse what a client sent.
    """

    text: str | None = None
    project: str | None = None  # name behind the write key
    ip: str | None = None
    ua: str | None = None  # User-Agent header
    call: str | None = None  # kind of the message, where the route says it (Segment)
    sent_at: Any = None  # sentAt of a Segment batch
    context: Mapping[str, Any] = field(default_factory=dict)  # of a Segment batch
    ce: Mapping[str, Any] = field(
        default_factory=dict
    )  # CloudEvents headers without `ce-`; binary mode only

    @property
    def browser(self) -> bool:
        """Whether a browser sent the request, so that its IP and user agent are the user's.

        A server's request says where the server is; HTTP libraries do not call themselves Mozilla.
        """
        return self.ua is not None and self.ua.startswith("Mozilla/")


def read_envelope(raw: bytes) -> Envelope:
    """The envelope of a record; what is no JSON object has no members."""
    return (_read_often if len(raw) <= SMALL_BYTES else _read_lately)(raw)


def _read(raw: bytes) -> Envelope:
    text = clean(raw.decode("utf-8", "replace"))
    try:
        members = json.loads(raw)
    except (ValueError, RecursionError):
        members = None
    if not isinstance(members, dict):
        return Envelope(text or None)
    return Envelope(
        text=text,
        project=_text(members, "project"),
        ip=_text(members, "ip"),
        ua=_text(members, "ua"),
        call=_text(members, "type"),
        sent_at=members.get("sentAt"),
        context=_object(members, "context"),
        ce=_object(members, "ce"),
    )


# Small ones come again with other requests. A large one only with its own request's records, one
# after the other; read, it may be 25 times as large: 256 of 500 kB were 3 GB in a worker.
_read_often = lru_cache(maxsize=256)(_read)
_read_lately = lru_cache(maxsize=1)(_read)


def _text(members: dict[str, Any], name: str) -> str | None:
    value = members.get(name)
    return clean(value) if isinstance(value, str) and value else None


def _object(members: dict[str, Any], name: str) -> Mapping[str, Any]:
    value = members.get(name)
    return value if isinstance(value, dict) else NOTHING
