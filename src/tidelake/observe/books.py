"""The books: every accepted record is an event or a reject, and nothing else is.

    accepted = events + rejected - replayed + damaged + rolled back + waiting

`accepted` comes from the sources (what they made durable), the rest from the lake, so that an
error in one does not hide in the other. `waiting` is what the sources hold beyond the positions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that does not add up: the layer it is in, and a sentence with the numbers."""

    layer: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Books:
    """The numbers at one moment. Streams are counted apart, so that a finding can name one."""

    accepted: Mapping[str, int]  # records that each open stream made durable
    positions: Mapping[str, int]  # last record of each stream that `events` holds
    finished: int = 0  # records of sources that are done and have no position any more
    events: int = 0
    rejected: int = 0
    damaged: int = 0
    replayed: int = 0
    rolled_back: int = 0
    rejected_ahead: int = 0  # rejects of a range whose events are not committed yet
    findings: Sequence[Finding] = field(default_factory=tuple)

    @property
    def total_accepted(self) -> int:
        open_streams = set(self.accepted) | set(self.positions)
        return self.finished + sum(self._accepted(stream) for stream in open_streams)

    @property
    def taken(self) -> int:
        """Records that the positions say are in the lake."""
        return self.finished + sum(self.positions.values())

    @property
    def waiting(self) -> int:
        """Records that are durable at a source and not in the lake yet."""
        return self.total_accepted - self.taken

    @property
    def accounted(self) -> int:
        """Records that the lake's rows account for."""
        judged = self.rejected + self.damaged - self.rejected_ahead
        return self.events + judged - self.replayed + self.rolled_back

    @property
    def balanced(self) -> bool:
        return not self.wrong()

    def wrong(self) -> list[Finding]:
        """Everything that does not add up, most specific first."""
        found = list(self.findings)
        for stream, position in sorted(self.positions.items()):
            if stream in self.accepted and position > self.accepted[stream]:
                found.append(
                    Finding(
                        "positions",
                        f"the position of {stream} is {position:,}, but only "
                        f"{self.accepted[stream]:,} records were accepted",
                    )
                )
        if self.taken != self.accounted:
            found.append(
                Finding(
                    "lake",
                    f"the positions say that {self.taken:,} records are in the lake, its rows "
                    f"account for {self.accounted:,} ({self.accounted - self.taken:+,})",
                )
            )
        return found

    def _accepted(self, stream: str) -> int:
        # A stream whose source is elsewhere is known by its position alone.
        return self.accepted.get(stream, self.positions.get(stream, 0))
