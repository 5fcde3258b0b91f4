"""What a process and everything that it started have used: CPU-seconds and memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

import psutil

GONE = (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess)


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes. `rss` counts a page once for every process that maps it, `pss` once in all."""

    rss: int = 0
    pss: int = 0

    def __add__(self, other: Memory) -> Memory:
        return Memory(self.rss + other.rss, self.pss + other.pss)


def tree(pid: int) -> Iterator[psutil.Process]:
    """The process and its living descendants."""
    with suppress(*GONE):
        root = psutil.Process(pid)
        yield root
        yield from root.children(recursive=True)


def cpu_s(pid: int) -> float:
    """CPU-seconds of a process and its descendants, those that ended and were reaped included.

    In steps of 10 ms, as the kernel counts them.
    """
    total = 0.0
    for process in tree(pid):
        with suppress(*GONE):
            times = process.cpu_times()
            total += times.user + times.system + times.children_user + times.children_system
    return total


def alone_cpu_s(pid: int) -> float:
    """CPU-seconds of a process without those of its descendants; 0 where it is gone."""
    with suppress(*GONE):
        times = psutil.Process(pid).cpu_times()
        return times.user + times.system
    return 0.0


def resident(pid: int) -> int:
    """Bytes resident in a process and its living descendants, shared pages counted each time."""
    total = 0
    for process in tree(pid):
        with suppress(*GONE):
            total += process.memory_info().rss
    return total


def memory(pid: int) -> Memory:
    """As `resident`, and with shared pages counted once; costs a walk through every page table."""
    total = Memory()
    for process in tree(pid):
        with suppress(*GONE):
            found = process.memory_full_info()
            total += Memory(found.rss, getattr(found, "pss", found.rss))
    return total
