"""What a group of ranges adds to the books: counters of both tables, and the snapshot summaries."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tidelake.lake.positions import (
    DAMAGED,
    EVENTS,
    RAW_BYTES,
    REASON,
    REJECTED,
    REPLAY_SOURCE,
    REPLAYED,
)
from tidelake.lake.writer import StoredRange

DAMAGED_FRAME = "damaged_frame"


@dataclass(frozen=True, slots=True)
class Tally:
    """Sums over a group. `rejected` is by reason, without records lost in damaged frames."""

    events: int
    replayed: int  # of the events: records that had been rejected before
    rejected: Mapping[str, int]
    damaged: int
    raw_bytes: int

    @classmethod
    def of(cls, group: Sequence[StoredRange]) -> Tally:
        rejected: Counter[str] = Counter()
        for one in group:
            rejected.update(one.rejected)
        return cls(
            events=sum(one.events for one in group),
            replayed=sum(one.events for one in group if one.stream.startswith(REPLAY_SOURCE)),
            rejected=dict(rejected),
            damaged=sum(one.damaged for one in group),
            raw_bytes=sum(one.raw_bytes for one in group),
        )

    @property
    def event_counts(self) -> dict[str, int]:
        return {EVENTS: self.events, REPLAYED: self.replayed, RAW_BYTES: self.raw_bytes}

    @property
    def reject_counts(self) -> dict[str, int]:
        reasons = dict(self.rejected)
        if self.damaged:
            reasons[DAMAGED_FRAME] = self.damaged
        return {
            REJECTED: sum(self.rejected.values()),
            DAMAGED: self.damaged,
            **{REASON + reason: number for reason, number in reasons.items()},
        }

    @property
    def event_summary(self) -> dict[str, str]:
        return {"tidelake.raw-bytes": str(self.raw_bytes)}

    @property
    def reject_summary(self) -> dict[str, str]:
        reasons = {
            name.removeprefix(REASON): n
            for name, n in self.reject_counts.items()
            if name.startswith(REASON)
        }
        return {"tidelake.reasons": json.dumps(reasons, separators=(",", ":"))}
