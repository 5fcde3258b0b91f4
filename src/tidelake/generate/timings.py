"""How a page felt: how long it took to load, and what the user did on it.

Page timings are log-normal and in order (latency < paint < interactive < load). They hang on the
page visit, not on the event, so that a click reports the timings of the page it was made on.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tidelake.generate import draw
from tidelake.generate.devices import DESKTOP, Device
from tidelake.generate.draw import Index
from tidelake.generate.pieces import MOST_INTERACTIONS, SLOWEST_MS, Pieces
from tidelake.generate.sessions import LONGEST_DWELL, Events, Kind

_SALT_VISIT = 4
_LATENCY_MS = (14.0, 24.0, 38.0, 62.0, 190.0)  # median round trip, in the order of CONNECTIONS
_SCROLL_SECONDS = 22.0  # time in which two thirds of what is ever seen has been seen


class Timings:
    """Tables for one world; gives the pieces of `engagement` and `performance`."""

    def __init__(self, devices: tuple[Device, ...]) -> None:
        self._latency = draw.lognormal(1.0, 0.45, 0.3, 12.0)
        self._latency_of = np.array(_LATENCY_MS)
        self._paint = draw.lognormal(420, 0.5, 60, 9000)
        self._interactive = draw.lognormal(330, 0.6, 30, 9000)
        self._load = draw.lognormal(640, 0.7, 40, 15_000)
        phone = 1.45  # a phone's processor parses and paints that much slower
        self._slowness = np.array([1.0 if device.type == DESKTOP else phone for device in devices])
        seconds = np.arange(LONGEST_DWELL * 10 + 1) / 10
        self._scrolled = 100 * (1 - np.exp(-seconds / _SCROLL_SECONDS))
        self._interactions = draw.quantiles([30, 24, 16, 10, 7, 4, 3, 2, 1.5, 1, 0.7, 0.4, 0.2])

    def pieces(
        self, p: Pieces, events: Events, connection: Index, device: Index, rng: draw.Rng
    ) -> list[Index]:
        """Twelve pieces a line, `engagement` first."""
        return [
            *self._engagement(p, events, rng),
            *self._performance(p, events, connection, device),
        ]

    def _engagement(self, p: Pieces, events: Events, rng: draw.Rng) -> list[Index]:
        chance = draw.uniform_u16(rng, 3, len(events)).astype(np.int32)
        tenths = events["dwell"] // 100
        scroll = self._scrolled[tenths] * (0.55 + chance[0] * (0.45 / draw.STEPS))
        kind = events["kind"]
        at_least = (kind == Kind.CLICK) | (kind == Kind.FORM_SUBMISSION)
        interactions = np.maximum(self._interactions[chance[1]] + tenths // 600, at_least)
        form = (kind == Kind.FORM_SUBMISSION) * 4
        video = (chance[2] < 0.035 * draw.STEPS) * 2
        download = chance[2] > 0.992 * draw.STEPS
        return [
            p.scroll + np.round(scroll).astype(np.int32),
            p.time_on_page + tenths,
            (p.interactions + np.minimum(interactions, MOST_INTERACTIONS)).astype(np.int32),
            (p.counters + form + video + download).astype(np.int32),
        ]

    def _performance(
        self, p: Pieces, events: Events, connection: Index, device: Index
    ) -> list[Index]:
        visit = events["session"] + events["visited"].astype(np.uint64) * np.uint64(
            0x9E3779B97F4A7C15
        )
        chance = draw.scramble(visit, _SALT_VISIT).view(np.uint16).reshape(-1, 4)
        slow = self._slowness[device]
        latency = self._latency[chance[:, 0]] * self._latency_of[connection]
        paint = 3 * latency + self._paint[chance[:, 1]] * slow
        interactive = paint + self._interactive[chance[:, 2]] * slow
        load = interactive + self._load[chance[:, 3]] * slow
        return [
            *_tenths(p.load, p.tenth, load),
            *_tenths(p.paint, p.tenth, paint),
            *_tenths(p.interactive, p.tenth, interactive),
            *_tenths(p.latency, p.tenth_end, latency),
        ]


def _tenths(first: int, tenth: int, value: NDArray[np.float64]) -> tuple[Index, Index]:
    """Two pieces: milliseconds and their tenths, which is what browsers resolve."""
    whole, rest = np.divmod((np.minimum(value, SLOWEST_MS) * 10).astype(np.int32), 10)
    return first + whole, tenth + rest
