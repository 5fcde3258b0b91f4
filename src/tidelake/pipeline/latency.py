"""How long records took from arrival to commit: the last minutes, weighted by records."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

KEPT = 600  # commits: ten minutes at one a second


@dataclass(slots=True)
class Latency:
    """Milliseconds from `received_at` until the commit was there, of the last commits."""

    commits: deque[tuple[np.ndarray, np.ndarray]] = field(
        default_factory=lambda: deque(maxlen=KEPT)
    )

    def add(self, committed_at_ms: int, arrivals: Mapping[int, int]) -> None:
        """`arrivals`: records by the millisecond of their arrival."""
        if arrivals:
            at = np.fromiter(arrivals, np.int64, len(arrivals))
            records = np.fromiter(arrivals.values(), np.int64, len(arrivals))
            self.commits.append((np.maximum(committed_at_ms - at, 0), records))

    def percentiles(self, *shares: float) -> list[float]:
        """Seconds below which the given shares (0 to 1) of the records stayed; empty: none yet."""
        if not self.commits:
            return []
        waits = np.concatenate([waits for waits, _ in self.commits])
        records = np.concatenate([records for _, records in self.commits])
        order = np.argsort(waits)
        reached = np.cumsum(records[order])
        at = [int(np.searchsorted(reached, share * reached[-1])) for share in shares]
        return [float(waits[order[min(i, len(waits) - 1)]]) / 1000 for i in at]
