"""Writing a lane: one group of requests is one frame and one sync."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from tidelake import crash
from tidelake.errors import TidelakeError
from tidelake.files import Appender, Disk
from tidelake.inbox.frame import frame_header, seed_of, segment_header
from tidelake.inbox.layout import LanePaths, Segment
from tidelake.inbox.mark import Mark, MarkWriter
from tidelake.inbox.records import Records, pack

MB = 1 << 20


@dataclass(frozen=True, slots=True)
class SegmentLimits:
    """When a segment is left, and how much goes into a frame or may wait for one."""

    segment_bytes: int = 64 * MB
    segment_age_s: float = 60
    frame_bytes: int = 8 * MB  # with each record's envelope counted
    waiting_bytes: int = 128 * MB


@dataclass
class _Open:
    """The segment that is being written."""

    segment: Segment
    file: Appender
    seed: int
    since: float


class SegmentWriter:
    """Appends frames to a lane whose lock its user holds. Not for use by two threads at once."""

    def __init__(
        self,
        paths: LanePaths,
        disk: Disk,
        mark: Mark,
        limits: SegmentLimits,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._paths = paths
        self._disk = disk
        self._limits = limits
        self._clock = clock
        self._wall_clock = wall_clock
        self._next = mark.row + 1
        self._count = mark.segment
        self._mark = MarkWriter(disk, paths.running("mark"))
        self._open: _Open | None = None
        self._mark.publish(mark)

    def append(self, group: Sequence[Records]) -> int:
        """Make the records durable and readable; gives the number of the first one.

        Raises `OverloadedError` (disk full) or `UnavailableError`: then none is accepted, and the
        segment is left for good.
        """
        payload = memoryview(pack(group))
        first, rows = self._next, sum(len(records.bodies) for records in group)
        expanded = sum(records.expanded for records in group)
        try:
            current = self._segment()
            crash.point("inbox.before_write")
            header = frame_header(first, rows, expanded, payload, current.seed)
            current.file.write(header, payload)
            crash.point("inbox.after_write")
            current.file.sync()
            crash.point("inbox.after_sync")
            self._next += rows
            self._mark.publish(Mark(self._next - 1, current.segment.count))
        except TidelakeError:
            self._abandon()
            raise
        crash.point("inbox.after_mark")
        return first

    def _segment(self) -> _Open:
        """The segment to write to, which is a new one when the last is full, old or given up."""
        current = self._open
        if current is not None:
            old = self._clock() - current.since >= self._limits.segment_age_s
            if not old and current.file.tell() < self._limits.segment_bytes:
                return current
            crash.point("inbox.before_seal")
            self.close()
        return self._new_segment()

    def _new_segment(self) -> _Open:
        self._count += 1
        segment = Segment(self._next, self._count)
        seed = seed_of(self._paths.stream, segment.name)
        file = self._disk.create(self._paths.segment(segment), "inbox.segment")
        self._open = _Open(segment, file, seed, self._clock())
        self._disk.sync_folder(self._paths.folder, "inbox.segment")
        crash.point("inbox.new_segment")
        created_us = int(self._wall_clock() * 1_000_000)
        # Durable with the first frame: a segment without one needs no header.
        file.write(segment_header(self._paths.lane, segment.first, created_us, seed))
        return self._open

    def _abandon(self) -> None:
        """Leave the segment: after a failed write or sync nobody knows what it holds."""
        given_up, self._open = self._open, None
        if given_up is None:
            return
        # The disk is in trouble already, and the trouble is told; readers know by the next segment
        # which rows of this one do not count.
        with suppress(TidelakeError):
            given_up.file.close()
            if given_up.segment.first == self._next:
                # It holds nothing accepted. On a full disk this keeps tries from piling up.
                self._disk.remove(self._paths.segment(given_up.segment))

    def close(self) -> None:
        """Leave the segment; all in it is durable."""
        current, self._open = self._open, None
        if current is not None:
            current.file.close()
