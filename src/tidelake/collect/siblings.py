"""Metrics of several server processes: each leaves its counts where the others find them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Protocol

import msgspec

from tidelake.collect.meter import Counts, packed, unpacked

EVERY_S = 0.5
PAGE = 4096  # padded, so that a shorter text covers all of a longer one before it


class Slate(Protocol):
    """A small file that is written over; it promises nothing after a crash."""

    def write(self, data: bytes) -> None: ...
    def close(self) -> None: ...


class Siblings:
    """Own counts, live, and those of the other processes, at most half a second old.

    A process that ended leaves its last counts, so that sums never fall while the server runs.
    """

    def __init__(self, own: Counts, folder: Path, name: str, slate: Slate) -> None:
        self._own = own
        self._folder = folder
        self._name = name
        self._slate = slate
        self._known: dict[str, Counts] = {}
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begins to leave the counts; called in the running event loop."""
        self._task = asyncio.get_running_loop().create_task(self._leave_often())

    def stop(self) -> None:
        """Leaves the last counts."""
        if self._task is not None:
            self._task.cancel()
        self._leave()
        self._slate.close()

    def all(self) -> Iterable[Counts]:
        """Counts to add up; also of processes that have ended."""
        self._known.update(self._others())
        return [self._own, *self._known.values()]

    def _others(self) -> Iterator[tuple[str, Counts]]:
        for path in sorted(self._folder.glob("*.counts")):
            if path.stem == self._name:
                continue
            try:
                yield path.stem, unpacked(path.read_bytes())
            except (OSError, msgspec.MsgspecError):  # just being written: the last ones stand in
                continue

    async def _leave_often(self) -> None:
        while True:
            self._leave()
            await asyncio.sleep(EVERY_S)

    def _leave(self) -> None:
        data = packed(self._own)
        self._slate.write(data.ljust(-(-len(data) // PAGE) * PAGE))
