"""The lane of one collecting process: many requests at once, one sync for all that wait."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue

from tidelake.errors import OverloadedError, SetupError, UnavailableError, UsageError
from tidelake.files import Disk, FileLock
from tidelake.inbox.layout import LanePaths, lanes, make_incarnation
from tidelake.inbox.records import Records
from tidelake.inbox.recovery import recover
from tidelake.inbox.segments import SegmentLimits, SegmentWriter

MOST_LANES = 1024
LOOK_AGAIN_S = 0.02

Rows = tuple[int, int]
"""Numbers of the first and the last record of a request."""


@dataclass(slots=True)
class _Waiting:
    """A request that has no answer yet."""

    records: Records
    size: int
    expanded: int
    future: asyncio.Future[Rows] | Future[Rows]
    loop: asyncio.AbstractEventLoop | None


Outcome = Rows | Exception


class LaneWriter:
    """Appends records to a lane of its own.

    A thread takes all requests that wait (up to a frame), writes them as one frame, syncs it,
    publishes the mark, and only then answers: under load a sync is shared by many requests, and
    while it runs the next group gathers. `frames` and `rows` count what was made durable here.
    """

    def __init__(
        self, writer: SegmentWriter, paths: LanePaths, lock: FileLock, limits: SegmentLimits
    ):
        self._writer = writer
        self._lock = lock
        self._limits = limits
        self.stream = paths.stream
        self.frames = 0
        self.rows = 0
        self._queue: SimpleQueue[_Waiting | None] = SimpleQueue()
        self._guard = threading.Lock()
        self._waiting_bytes = 0
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="inbox-writer", daemon=True)
        self._thread.start()

    @classmethod
    def claim(
        cls,
        home: Path,
        disk: Disk,
        limits: SegmentLimits | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> LaneWriter:
        """Take the first lane that nobody writes, find its end, and begin a new segment there.

        Raises `DamagedError` where the inbox does not know what it is, and what `Disk` raises.
        """
        limits = limits or SegmentLimits()
        paths, lock = _claim_lane(home, make_incarnation(home, disk), disk)
        try:
            disk.make_folder(paths.folder, "inbox.lane")
            writer = SegmentWriter(paths, disk, recover(paths, disk), limits, clock)
        except BaseException:
            lock.release()
            raise
        return cls(writer, paths, lock, limits)

    async def append(self, records: Records) -> Rows:
        """Wait until the records are durable; gives the numbers of the first and the last.

        Raises `OverloadedError` (too much waits, or the disk is full) or `UnavailableError` (the
        disk failed, or the lane is closed). Then none of them is accepted.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Rows] = loop.create_future()
        self._enqueue(_Waiting(records, records.size, records.expanded, future, loop))
        return await future

    def append_and_wait(self, records: Records) -> Rows:
        """`append` for a caller without an event loop; many threads may call it at once."""
        future: Future[Rows] = Future()
        self._enqueue(_Waiting(records, records.size, records.expanded, future, None))
        return future.result()

    def _enqueue(self, waiting: _Waiting) -> None:
        if not waiting.records.bodies:
            raise UsageError("a request without records can not be appended")
        with self._guard:
            if self._closed:
                raise UnavailableError("the inbox is being closed", hint="Send again in a moment.")
            total = self._waiting_bytes + waiting.size
            if self._waiting_bytes and total > self._limits.waiting_bytes:
                raise OverloadedError(
                    f"{self._waiting_bytes} bytes wait to be written to the inbox",
                    hint="The disk is slower than the clients; send again in a moment.",
                )
            self._waiting_bytes = total
            self._queue.put(waiting)

    def close(self) -> None:
        """Write what waits, then leave the lane to others."""
        with self._guard:
            if not self._closed:
                self._closed = True
                self._queue.put(None)
        self._thread.join()
        self._lock.release()

    def _run(self) -> None:
        ending = False
        while not ending:
            group, ending = self._gather()
            if group:
                _answer(group, self._commit(group))
                with self._guard:
                    self._waiting_bytes -= sum(waiting.size for waiting in group)
        self._writer.close()

    def _gather(self) -> tuple[list[_Waiting], bool]:
        """All that waits, until it fills a frame; and whether it is the end."""
        group: list[_Waiting] = []
        size = 0
        item = self._queue.get()
        while item is not None:
            group.append(item)
            size += max(item.size, item.expanded)
            if size >= self._limits.frame_bytes:
                return group, False
            try:
                item = self._queue.get_nowait()
            except Empty:
                return group, False
        return group, True

    def _commit(self, group: list[_Waiting]) -> list[Outcome]:
        try:
            first = self._writer.append([waiting.records for waiting in group])
        except Exception as exc:
            # A fault of ours must reach the callers too, or they wait for ever.
            return [exc] * len(group)
        self.frames += 1
        outcomes: list[Outcome] = []
        for waiting in group:
            last = first + len(waiting.records.bodies) - 1
            outcomes.append((first, last))
            self.rows += len(waiting.records.bodies)
            first = last + 1
        return outcomes


def _claim_lane(home: Path, incarnation: str, disk: Disk) -> tuple[LanePaths, FileLock]:
    # Who looks at a lane holds its lock for a moment: lanes that exist are asked for twice before
    # another one is made.
    known = lanes(home, disk)
    for wait_s, candidates in ((0.0, known), (LOOK_AGAIN_S, known), (0.0, range(MOST_LANES))):
        time.sleep(wait_s if known else 0)
        for lane in candidates:
            paths = LanePaths(home, incarnation, lane)
            lock = disk.lock(paths.running("lock"))
            if lock is not None:
                return paths, lock
    raise SetupError(
        f"all {MOST_LANES} lanes of the inbox in {home} have a writer",
        hint="Stop collectors that are not needed; each server process takes one lane.",
    )


def _answer(group: list[_Waiting], outcomes: list[Outcome]) -> None:
    """Give each request its outcome; an event loop is woken once for all of its requests."""
    by_loop: dict[asyncio.AbstractEventLoop, list[tuple[_Waiting, Outcome]]] = {}
    for waiting, outcome in zip(group, outcomes, strict=True):
        if waiting.loop is None:
            _settle(waiting, outcome)
        else:
            by_loop.setdefault(waiting.loop, []).append((waiting, outcome))
    for loop, settled in by_loop.items():
        with suppress(RuntimeError):  # the loop has ended, and its requests with it
            loop.call_soon_threadsafe(_settle_all, settled)


def _settle_all(settled: list[tuple[_Waiting, Outcome]]) -> None:
    for waiting, outcome in settled:
        _settle(waiting, outcome)


def _settle(waiting: _Waiting, outcome: Outcome) -> None:
    if waiting.future.done():  # the client has gone
        return
    if isinstance(outcome, Exception):
        waiting.future.set_exception(outcome)
    else:
        waiting.future.set_result(outcome)
