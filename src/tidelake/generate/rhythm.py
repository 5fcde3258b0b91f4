"""When people are awake: how busy each ten minutes of a user's own week are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tidelake.generate.population import Population

_BIN = 10 * 60_000  # ms
_BINS = 7 * 24 * 6
_THURSDAY = 3  # 1970-01-01, counted from Monday
# Traffic at the full hour, midnight first, in the user's local time.
_HOURS = (
    0.28, 0.16, 0.10, 0.07, 0.07, 0.12, 0.28, 0.52, 0.72, 0.84, 0.90, 0.95,
    1.00, 0.94, 0.86, 0.86, 0.90, 1.00, 1.14, 1.34, 1.48, 1.38, 1.00, 0.58,
)  # fmt: skip
_DAYS = (1.00, 0.98, 0.97, 1.00, 0.93, 1.12, 1.24)  # Monday first


def _week() -> NDArray[np.float64]:
    hours = np.interp(np.arange(24 * 6) / 6, np.arange(25), (*_HOURS, _HOURS[0]))
    week: NDArray[np.float64] = (np.array(_DAYS)[:, None] * hours).ravel()
    return week


WEEK = _week()
BUSIEST = float(WEEK.max())


def busy(time: NDArray[np.int64], utc_offset: NDArray[np.int32]) -> NDArray[np.float64]:
    """Traffic at `time` (ms since 1970) for users so many minutes ahead of UTC."""
    bins = time // _BIN + utc_offset // 10 + _THURSDAY * 24 * 6
    traffic: NDArray[np.float64] = WEEK[bins % _BINS]
    return traffic


def edges(
    population: Population, start: int, end: int, events: int, slice_events: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Cuts [start, end) (ms) into slices of about `slice_events`: times, and events before each.

    Both have one more entry than there are slices. Busy hours give short slices.
    """
    grid = np.append(np.arange(start, end, _BIN, dtype=np.int64), end)
    offsets, users = np.unique(population.utc_offset, return_counts=True)
    middle = (grid[:-1] + grid[1:]) // 2
    load = sum(
        share * busy(middle, np.full(len(middle), offset))
        for offset, share in zip(offsets.tolist(), users.tolist(), strict=True)
    )
    before = np.concatenate([[0.0], np.cumsum(load * np.diff(grid))])
    slices = max(1, round(events / slice_events))
    marks = np.round(np.linspace(0, events, slices + 1)).astype(np.int64)
    times = np.interp(marks / max(events, 1) * before[-1], before, grid).astype(np.int64)
    times[0], times[-1] = start, end
    return times, marks
