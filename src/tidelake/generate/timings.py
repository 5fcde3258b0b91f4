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
        """Fourteen pieces a line, `engagement` first."""
        return [
            *self._engagement(p, events, rng),
            *self._performance(p, events, connection, device),
        ]

    def _engagement(self, p: Pieces, events: Events, rng: draw.Rng) -> list[Index]:
        chance = draw.uniform_u16(rng, 3, len(events)).astype(np.int32)
        dwell = events["dwell"] // 10
        scroll = self._scrolled[dwell // 10] * (0.55 + chance[0] * (0.45 / draw.STEPS))
        kind = events["kind"]
        at_least = (kind == Kind.CLICK) | (kind == Kind.FORM_SUBMISSION)
        interactions = np.maximum(self._interactions[chance[1]] + dwell // 6000, at_least)
        form = (kind == Kind.FORM_SUBMISSION) * 4
        video = (chance[2] < 0.035 * draw.STEPS) * 2
        download = chance[2] > 0.992 * draw.STEPS
        return [
            *_decimal(p.scroll, (scroll * 100).astype(np.int32), p.after_scroll),
            *_decimal(p.number, dwell, p.after_time),
            (p.number + np.minimum(interactions, MOST_INTERACTIONS)).astype(np.int32),
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
            piece
            for value, after in (
                (latency, p.after_latency),
                (paint, p.after_paint),
                (interactive, p.after_interactive),
                (load, p.after_load),
            )
            for piece in _decimal(p.number, _hundredths(value), after)
        ]


def _hundredths(value: NDArray[np.float64]) -> Index:
    return (np.minimum(value, SLOWEST_MS) * 100).astype(np.int32)


def _decimal(number: int, hundredths: Index, after: int) -> tuple[Index, Index]:
    """Two pieces: the whole number and its decimals with what follows them."""
    whole, rest = np.divmod(hundredths, 100)
    return number + whole, after + rest
