"""Costs of a piece of work, over rounds in which the variants take turns."""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from bench import processes

WATCH_EVERY_S = 0.05


@dataclass(frozen=True, slots=True)
class Cost:
    """What some work on `events` events took; memory in bytes, resident at its peak."""

    events: int
    cpu_s: float
    wall_s: float
    peak_rss: int

    @property
    def cpu_s_per_million(self) -> float:
        return self.cpu_s / self.events * 1e6

    def without(self, start: Cost) -> Cost:
        """The same without the CPU-seconds that a run on next to nothing takes."""
        return Cost(self.events, self.cpu_s - start.cpu_s, self.wall_s, self.peak_rss)


@dataclass(frozen=True, slots=True)
class Figure:
    """The median of some rounds, and the lowest and the highest of them."""

    median: float
    low: float
    high: float
    rounds: int

    @classmethod
    def of(cls, values: list[float]) -> Figure:
        return cls(statistics.median(values), min(values), max(values), len(values))


def in_turns(
    variants: Mapping[str, Callable[[], Cost]], rounds: int, say: Callable[[str], None]
) -> dict[str, list[Cost]]:
    """A B A B …: what else the machine does then falls on all variants alike."""
    found: dict[str, list[Cost]] = {name: [] for name in variants}
    for number in range(rounds):
        say(f"  round {number + 1}: a fixed piece of work takes {calibrate():.2f} CPU-s")
        for name, work in variants.items():
            cost = work()
            found[name].append(cost)
            say(
                f"  {name:24} {cost.cpu_s_per_million:8.2f} CPU-s a million  "
                f"{cost.peak_rss / 1e6:5.0f} MB  {cost.wall_s:6.1f} s wall"
            )
    return found


def figures(name: str, costs: list[Cost]) -> dict[str, Figure]:
    """The four figures of a row."""
    return {
        f"{name}.cpu_s_per_million": Figure.of([c.cpu_s_per_million for c in costs]),
        f"{name}.events_per_cpu_s": Figure.of([c.events / c.cpu_s for c in costs]),
        f"{name}.events_per_wall_s": Figure.of([c.events / c.wall_s for c in costs]),
        f"{name}.peak_rss_mb": Figure.of([c.peak_rss / 1e6 for c in costs]),
    }


class Stopwatch:
    """Adds up the time of the blocks that it is entered for; the work is in this thread."""

    def __init__(self) -> None:
        self.cpu_s = self.wall_s = 0.0

    def __enter__(self) -> None:
        self.cpu_s -= time.process_time()
        self.wall_s -= time.perf_counter()

    def __exit__(self, *_: object) -> None:
        self.cpu_s += time.process_time()
        self.wall_s += time.perf_counter()

    def tell(self, events: int) -> None:
        """The other end of `in_child`."""
        print(json.dumps({"events": events, "cpu_s": self.cpu_s, "wall_s": self.wall_s}))


def in_child(module: str, *arguments: str) -> Cost:
    """Runs `python -m MODULE …`, which tells what its stopwatch saw: its memory is its own."""
    command = [sys.executable, "-m", module, *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as child, watched(child.pid) as peak:
        said, _ = child.communicate()
    if child.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {child.returncode}")
    return Cost(**json.loads(said), peak_rss=peak())


def whole(command: list[str], environment: Mapping[str, str], events: int) -> Cost:
    """Runs a command: CPU-seconds of it and of all that it started and waited for, its memory."""
    began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    process = subprocess.Popen(
        command, env={**os.environ, **environment}, stdout=subprocess.DEVNULL
    )
    with watched(process.pid) as peak:
        code = process.wait()
    if code:
        raise RuntimeError(f"{' '.join(command)} ended with {code}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(events, used, time.perf_counter() - began, peak())


@contextmanager
def watched(pid: int) -> Iterator[Callable[[], int]]:
    """Looks at the memory of a process and its descendants; gives the most that was seen."""
    over, most = threading.Event(), [0]

    def look() -> None:
        while not over.wait(WATCH_EVERY_S):
            most[0] = max(most[0], processes.resident(pid))

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield lambda: most[0]
    finally:
        over.set()
        watcher.join()


def calibrate() -> float:
    """CPU-seconds for a fixed piece of work in Python.

    Where others use the same cores, a CPU-second does less: this tells how much less.
    """
    text = json.dumps({f"field{n}": {"text": "value" * 4, "number": n / 3} for n in range(200)})
    began = time.process_time()
    for _ in range(1000):
        json.dumps(json.loads(text))
    return time.process_time() - began
