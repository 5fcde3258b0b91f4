"""What `process` is told: limits, the event types, and the optional country lookup."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from tidelake.event import registry
from tidelake.event.registry import Registry

DAY_US = 86_400_000_000


class CountryLookup(Protocol):
    """Finds the country of an IP address.

    It answers an ISO 3166-1 alpha-2 code, or None for an address that is private, unknown or no
    address at all; it never raises for what a client sent. It can be pickled to another process.
    """

    def __call__(self, ip: str) -> str | None: ...


@dataclass(frozen=True)
class Rules:
    """Everything that a verdict depends on besides the record. Times are microseconds."""

    max_ahead: int = DAY_US  # an event may be this far after received_at
    max_age: int = 3 * 366 * DAY_US  # and this far before it
    max_event_bytes: int = 32 * 1024
    registry: Registry = field(default_factory=registry.load)
    country: CountryLookup | None = None
