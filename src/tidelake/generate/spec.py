"""What to generate, and the count of what was made."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from tidelake.errors import UsageError
from tidelake.generate.faults import FAULTS

MOST_BAD = 0.9
DEFAULT_USERS = 50_000


@dataclass(frozen=True, slots=True)
class GeneratorSpec:
    """Same spec, same bytes.

    `start` and `end` bound the time of the events, `count` is the number of lines in all, bad ones
    and repeats included. `bad` gives the share of lines for each kind of `faults.FAULTS`, `repeat`
    the share of lines that repeat an earlier one byte for byte. `live` takes its time from a clock
    and its number from a rate, so it needs neither `start`, `end` nor `count`.
    """

    seed: int = 1
    users: int = DEFAULT_USERS
    start: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    end: datetime = datetime(2026, 1, 15, tzinfo=UTC)
    count: int = 1000
    bad: Mapping[str, float] = field(default_factory=dict)
    repeat: float = 0.0

    def __post_init__(self) -> None:
        for name, value, least in (("users", self.users, 1), ("count", self.count, 0)):
            if value < least:
                raise UsageError(f"{name} is {value}", hint=f"Give at least {least}.")
        if self.seed < 0:
            raise UsageError(f"seed is {self.seed}", hint="Give 0 or more.")
        if self.start.tzinfo is None or self.end.tzinfo is None or self.start >= self.end:
            raise UsageError(
                f"the events would lie between {self.start} and {self.end}",
                hint="Give a start before the end, both with an offset, like 2026-11-23T00:00:00Z.",
            )
        self._check_shares()

    def _check_shares(self) -> None:
        unknown = sorted(set(self.bad) - set(FAULTS))
        if unknown:
            raise UsageError(
                f"no kind of bad record is called {unknown[0]!r}",
                hint=f"Known: {', '.join(FAULTS)}.",
            )
        shares = [*self.bad.values(), self.repeat]
        if any(not 0 <= share <= 1 for share in shares) or sum(shares) > MOST_BAD:
            raise UsageError(
                f"the shares of bad records and repeats are {shares}",
                hint=f"Each is between 0 and 1, and together they are at most {MOST_BAD}.",
            )


def spread_bad(share: float) -> dict[str, float]:
    """A share in all, in equal parts over every kind."""
    return {kind: share / len(FAULTS) for kind in FAULTS} if share else {}


@dataclass(slots=True)
class Tally:
    """Lines made: all of them, how many are bad by kind, and how many repeat an earlier one.

    Repeats are only ever of good lines, so distinct good events = sent - bad - repeats.
    """

    sent: int = 0
    bad: Counter[str] = field(default_factory=Counter)
    repeats: int = 0

    @property
    def good(self) -> int:
        """Lines that a pipeline accepts, repeats included."""
        return self.sent - self.bad.total()

    def add(self, other: Tally) -> None:
        self.sent += other.sent
        self.bad.update(other.bad)
        self.repeats += other.repeats
