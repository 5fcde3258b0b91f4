"""Who visits when: walks get a user, an hour of that user's day, a device and a network.

`Visits` is a queue of events in order of time. It is asked for a number of events up to a moment,
and lets as many sessions begin as that takes, so that a count or a rate is met exactly while every
session keeps its own pace.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tidelake.generate import draw, rhythm
from tidelake.generate.population import SEATS, Population
from tidelake.generate.sessions import EVENT, Events, Walks, joined

WARM_UP_MS = 30 * 60_000
_WARM_UP_SESSIONS = 300_000  # half a second of work; beyond 1,000 events a second the time shrinks
_WARM_UP_AT_ONCE = 16_384
_SPREAD = 6.0  # standard deviation of a session's events
_STREAM = 14  # this file's path below a seed, see draw.generator


class Visits:
    """Sessions of a population between `start` and `end` (ms since 1970)."""

    def __init__(
        self, seed: int, population: Population, walks: Walks, desktop: NDArray[np.bool_]
    ) -> None:
        self._rng = draw.generator(seed, _STREAM)
        self._population = population
        self._walks = walks
        self._desktop = desktop
        self._waiting = Waiting()
        self._yield = walks.mean_length()

    def warm_up(self, start: int, events_per_ms: float) -> None:
        """Lets sessions begin before `start`, so that the first minute looks like any other."""
        wanted = events_per_ms * WARM_UP_MS / self._walks.mean_length()
        sessions = int(min(wanted, _WARM_UP_SESSIONS))
        reach = int(WARM_UP_MS * sessions / max(wanted, 1))
        for begun in range(0, sessions, _WARM_UP_AT_ONCE):
            self._begin(min(_WARM_UP_AT_ONCE, sessions - begun), start - reach, start)
            self._waiting.drop_before(start)

    def take(self, events: int, start: int, until: int, last: bool = False) -> Events:
        """The next `events` events, in order of time, all before `until`.

        New sessions begin between `start` and `until`. Events that are due but not taken come
        first the next time; if this is the `last` time they would be lost, and with them the end
        of the stream, so there are few.
        """
        missing = events - self._waiting.due(until)
        while missing > 0:
            # Most of the way in one go, then by what a session has turned out to bring. The last
            # time stays below what is missing by twice the spread, until sessions go one by one.
            wanted = missing - _SPREAD * 2 * missing**0.5 if last else missing * 0.97
            sessions = max(1, int(wanted / self._yield))
            self._begin(sessions, start, until)
            left = events - self._waiting.due(until)
            brought = max(missing - left, 0) / sessions
            self._yield = min(max(0.7 * self._yield + 0.3 * brought, 1.0), 100.0)
            missing = left
        return self._waiting.pop(events, until)

    def _begin(self, sessions: int, start: int, until: int) -> None:
        events, lengths = self._walks.take(sessions)
        user, begin = self._who_and_when(sessions, start, until)
        rng = self._rng
        seat = (rng.random(sessions)[:, None] > (0.72, 0.93)).sum(1).astype(np.int32)
        device = self._population.device_at[user, seat]
        roaming = (rng.random(sessions) < 0.42) & ~self._desktop[device]
        events = joined([events])
        events["user"] = np.repeat(user, lengths)
        events["seat"] = np.repeat(seat, lengths)
        events["roaming"] = np.repeat(roaming, lengths)
        events["session"] = np.repeat(rng.integers(0, 1 << 64, sessions, dtype=np.uint64), lengths)
        events["time"] = np.repeat(begin, lengths) + events["elapsed"]
        self._waiting.add(events)

    def _who_and_when(
        self, sessions: int, start: int, until: int
    ) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        """Active users come more often, and rarely while their city sleeps (by rejection)."""
        users = np.empty(0, dtype=np.int32)
        begins = np.empty(0, dtype=np.int64)
        while len(users) < sessions:
            tries = 2 * (sessions - len(users)) + 16
            user = draw.pick(self._rng, self._population.activity, tries)
            begin = self._rng.integers(start, max(until, start + 1), tries)
            busy = rhythm.busy(begin, self._population.utc_offset[user])
            kept = self._rng.random(tries) * rhythm.BUSIEST < busy
            users = np.concatenate([users, user[kept]])
            begins = np.concatenate([begins, begin[kept]])
        return users[:sessions], begins[:sessions]


class Waiting:
    """Events that have not happened yet, as a few sorted runs whose sizes at least halve.

    Sessions are short beside most slices, but a busy live stream has a hundred thousand events
    under way: sorting all of them for each slice would cost more than making them.
    """

    def __init__(self) -> None:
        self._runs: list[Events] = []

    def add(self, events: Events) -> None:
        self._runs.append(_sorted(events))
        while len(self._runs) > 1 and len(self._runs[-2]) < 2 * len(self._runs[-1]):
            last, before = self._runs.pop(), self._runs.pop()
            self._runs.append(_sorted(joined([before, last])))

    def due(self, until: int) -> int:
        """How many events are before `until`."""
        return sum(int(np.searchsorted(run["time"], until)) for run in self._runs)

    def pop(self, events: int, until: int) -> Events:
        """Removes and gives the earliest `events` of those before `until`."""
        due = self._cut(until)
        taken, rest = due[:events], due[events:]
        if len(rest):
            self._runs.append(rest)
        return taken

    def drop_before(self, moment: int) -> None:
        self._cut(moment)

    def _cut(self, until: int) -> Events:
        cuts = [int(np.searchsorted(run["time"], until)) for run in self._runs]
        due = [run[:cut] for run, cut in zip(self._runs, cuts, strict=True) if cut]
        rest = [run[cut:] for run, cut in zip(self._runs, cuts, strict=True)]
        self._runs = [run for run in rest if len(run)]
        return _sorted(joined(due)) if due else np.empty(0, dtype=EVENT)


def _sorted(events: Events) -> Events:
    # Stable: equal times keep their order, and numpy merges what is sorted already.
    return events.take(np.argsort(events["time"], kind="stable"))


def seats_of(user: NDArray[np.int32], seat: NDArray[np.int32]) -> NDArray[np.int64]:
    """One number for a user's device: what a cookie would be tied to."""
    return user.astype(np.int64) * SEATS + seat
