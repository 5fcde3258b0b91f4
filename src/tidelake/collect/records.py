"""What the collector hands over, and what it needs of others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import msgspec

Format = Literal["native", "segment", "cloudevents"]
# A record costs its envelope wherever it is read; a batch of many tiny ones would grow by it.
MOST_RECORDS = 100_000


def may_hold_too_many(body: bytes) -> bool:
    """Whether an array in the body may have over `MOST_RECORDS` elements: then they are counted
    before they are built, which a decoder does not do. Few bodies are looked at for this."""
    return len(body) > 2 * MOST_RECORDS and body.count(b",") >= MOST_RECORDS


@dataclass(frozen=True, slots=True)
class Cut:
    """A body cut into records: what a door makes of it."""

    bodies: Sequence[bytes]
    format: Format
    # What the request says about every record of it: members of the envelope.
    facts: dict[str, Any] = field(default_factory=dict)
    key: str = ""  # the write key in the body, where the format has one


@dataclass(frozen=True, slots=True)
class Records:
    """Records of one request: all of them become durable, or none is acknowledged.

    `envelope` is one compact JSON object that every record shares: of `path`, `ip`, `ua`,
    `project`, `type`, `sentAt`, `context`, `integrations`, `ce`, `content_type` those that are
    known. `received_at` is in microseconds since 1970.
    """

    bodies: Sequence[bytes]
    envelope: bytes
    received_at: int
    format: Format


class Durable(Protocol):
    """Where records become durable: the inbox here, a stream elsewhere."""

    async def append(self, records: Records) -> None:
        """Returns when all records survive a power loss.

        Raises `OverloadedError` where a bound is reached and `UnavailableError` where the disk
        failed; then the client is told to come again, and may repeat records that were stored.
        """

    def trouble(self) -> str:
        """Why an append would be refused now, in a sentence; empty where it would not."""

    def frames(self) -> int:
        """How often records were made durable, many requests at once."""

    def backlog_bytes(self) -> int:
        """About the bytes, of all processes, that the lake does not hold yet."""

    async def close(self) -> None:
        """Makes durable what waits, and leaves the lane to the next process."""


class Judge(Protocol):
    """Says what `process` would decide."""

    def __call__(self, records: Records) -> list[dict[str, Any]]:
        """One verdict a record: `{"accepted": true, "event_type", "event_key",
        "flags"}` or `{"accepted": false, "reason", "field", "detail"}`."""


def envelope(facts: dict[str, Any]) -> bytes:
    """Compact JSON of what is known; None and empty values are left out."""
    return msgspec.json.encode({name: value for name, value in facts.items() if value})
