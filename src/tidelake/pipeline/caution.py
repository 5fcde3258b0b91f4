"""How carefully a stream is taken after a worker failed on its records, nobody knows why.

A record can not be judged where reading it kills the worker. So the stream's takes become smaller
with every failure, one at a time, until a take of one record fails: that record is rejected unread,
as `unprocessable`, and its neighbours go on. With every success takes grow again.

When a process dies, every take under way fails, and which one was to blame is not known. So while
any stream is taken with care, one take at a time is under way, and only its failure is proof.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tidelake.errors import FailedTakeError

ROWS = (4096, 256, 16, 1)  # most records of a take, from the first failure on
COMMITS_A_STEP = 4  # of the stream that succeed before its takes grow again


@dataclass(slots=True)
class Narrowed:
    """One stream: most `rows` of a take, the `refused` record, commits since the last change."""

    rows: int
    refused: int | None = None
    commits: int = 0


@dataclass(slots=True)
class Caution:
    """The streams that are taken with care; the others are not in it."""

    streams: dict[str, Narrowed] = field(default_factory=dict)

    def rows(self, stream: str) -> int | None:
        """Most records of the stream's next take; None while all is well with it."""
        return self.streams[stream].rows if stream in self.streams else None

    @property
    def refused(self) -> frozenset[tuple[str, int]]:
        """Records to reject unread."""
        return frozenset(
            (stream, care.refused)
            for stream, care in self.streams.items()
            if care.refused is not None
        )

    def failed(self, error: FailedTakeError) -> None:
        """Takes of the stream become smaller; a record that failed alone is to be refused."""
        alone = bool(self.streams) and error.first == error.last
        taken = error.last - error.first + 1
        rows = next((rows for rows in ROWS if rows < taken), 1)
        self.streams[error.stream] = Narrowed(rows, error.first if alone else None)

    def committed(self, positions: Mapping[str, int]) -> None:
        """Streams moved to these positions."""
        for stream, position in positions.items():
            care = self.streams.get(stream)
            if care is None:
                continue
            care.commits += 1
            refused = care.refused is not None and position >= care.refused
            if refused or care.commits >= COMMITS_A_STEP:
                self._relax(stream, care)

    def _relax(self, stream: str, care: Narrowed) -> None:
        larger = [rows for rows in ROWS if rows > care.rows]
        if larger:
            self.streams[stream] = Narrowed(larger[-1])
        else:
            del self.streams[stream]
