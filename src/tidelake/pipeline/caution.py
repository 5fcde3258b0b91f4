"""How carefully records are taken after a worker failed on some for a reason nobody foresaw.

A record can not be judged where reading it kills the worker. So takes become smaller with every
failure, one at a time, until a take of one record fails: that record is rejected unread, as
`unprocessable`, and its neighbours go on. With every success takes grow again.
"""

from __future__ import annotations

from dataclasses import dataclass

from tidelake.errors import FailedTakeError

ROWS = (4096, 256, 16, 1)  # most records of a take, from the first failure on
COMMITS_A_STEP = 4  # that succeed before takes grow again


@dataclass(slots=True)
class Caution:
    """`rows`: most records of a take, none while all is well; `refused`: a record to reject."""

    rows: int | None = None
    refused: tuple[str, int] | None = None

    def failed(self, error: FailedTakeError) -> None:
        if error.first == error.last:
            self.refused = (error.stream, error.first)
        taken = error.last - error.first + 1
        self.rows = next((rows for rows in ROWS if rows < taken), 1)

    def worked(self) -> None:
        """Takes of this size were committed; what was to be rejected is."""
        if self.rows is None:
            return
        self.refused = None
        larger = [rows for rows in ROWS if rows > self.rows]
        self.rows = larger[-1] if larger else None

    @property
    def enough(self) -> int:
        """Commits after which `worked` is to be called."""
        return 1 if self.refused else COMMITS_A_STEP
