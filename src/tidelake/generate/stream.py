"""The stream: slices of time become chunks of lines, with bad records and repeats among them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from itertools import count
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tidelake.errors import UsageError
from tidelake.generate import catalogue, devices, draw, population, rhythm
from tidelake.generate.render import Lines, Renderer
from tidelake.generate.sessions import Walks
from tidelake.generate.spec import GeneratorSpec
from tidelake.generate.spoil import Chunk, Spoiler
from tidelake.generate.visits import Visits

SLICE_EVENTS = 16_384  # about 20 MB of text, and piece numbers that stay in cache
_TICK_SECONDS = 0.25
_STREAM = 15  # this file's path below a seed, see draw.generator
_PARTS = 1_000_000  # shares are counted in millionths


class Clock(Protocol):
    """Tells the time in seconds since 1970 and waits; a test's clock moves when it is told to."""

    def now(self) -> float: ...

    def sleep(self, seconds: float) -> None: ...


@dataclass(frozen=True, slots=True)
class _Town:
    """What does not change while events are made, and is the same for every span of time."""

    shop: catalogue.Catalogue
    people: population.Population
    desktop: NDArray[np.bool_]
    renderer: Renderer


@lru_cache(maxsize=4)
def _town(seed: int, users: int) -> _Town:
    """Kept: a third of a second goes into it, and live events often follow a history."""
    shop, held = catalogue.build(seed), devices.all_devices()
    people = population.build(seed, users, held)
    return _Town(shop, people, population.is_desktop(held), Renderer(shop, people, held))


class _Traffic:
    """The visits of one stream, as text."""

    def __init__(self, spec: GeneratorSpec) -> None:
        self._seed = spec.seed
        self.town = _town(spec.seed, spec.users)
        walks = Walks(spec.seed, self.town.shop)
        self.visits = Visits(spec.seed, self.town.people, walks, self.town.desktop)

    def lines(self, number: int, events: int, start: int, until: int, last: bool = False) -> Lines:
        """Slice `number` of the stream: so many events, all before `until`."""
        taken = self.visits.take(events, start, until, last)
        return self.town.renderer.render(taken, draw.generator(self._seed, _STREAM, number))


def generate(spec: GeneratorSpec) -> Iterator[Chunk]:
    """`spec.count` lines between `spec.start` and `spec.end`, in order of time but for repeats.

    Chunks have up to about `SLICE_EVENTS` lines. All work is in the iterator; it holds no more than
    one chunk and the sessions under way.
    """
    start, end = _milliseconds(spec.start), _milliseconds(spec.end)
    repeats = round(spec.count * spec.repeat)
    fresh = spec.count - repeats
    traffic = _Traffic(spec)
    spoiler = Spoiler(spec, repeats, max(fresh, 1))
    times, marks = rhythm.edges(traffic.town.people, start, end, fresh, SLICE_EVENTS)
    if fresh:
        traffic.visits.warm_up(start, fresh / (end - start))
    for number, events in enumerate(np.diff(marks).tolist()):
        since, until = int(times[number]), int(times[number + 1])
        last = number == len(marks) - 2
        yield spoiler.spoil(traffic.lines(number, events, since, until, last), last)


def live(
    spec: GeneratorSpec, rate: float, clock: Clock, lines: int | None = None
) -> Iterator[Chunk]:
    """`rate` lines a second, stamped with the clock's time, in a few chunks a second.

    Ends after `lines` lines, or never. Waits on the clock between chunks. A reader that was slow
    gets the chunks it missed at once, with the times at which they were due, so that the rate holds
    on average.
    """
    if rate <= 0:
        raise UsageError(f"the rate is {rate} a second", hint="Give more than 0.")
    of_all = _PARTS if lines is None else lines
    repeats = round(of_all * spec.repeat)
    traffic, spoiler = _Traffic(spec), Spoiler(spec, repeats, max(of_all - repeats, 1))
    per_second = rate * (1 - repeats / max(of_all, 1))
    left = None if lines is None else lines - repeats
    tick, begin, done = max(_TICK_SECONDS, 1 / rate), clock.now(), 0
    traffic.visits.warm_up(int(begin * 1000), per_second / 1000)
    for number in count():
        if left == done:
            return
        since, until = begin + number * tick, begin + (number + 1) * tick
        due = round((number + 1) * tick * per_second)
        due = due if left is None else min(due, left)
        text = traffic.lines(number, due - done, int(since * 1000), int(until * 1000))
        done = due
        chunk = spoiler.spoil(text, last=done == left)
        clock.sleep(max(until - clock.now(), 0.0))
        if len(chunk):
            yield chunk


def _milliseconds(time: datetime) -> int:
    return round(time.timestamp() * 1000)
