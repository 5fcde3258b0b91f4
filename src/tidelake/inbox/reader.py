"""The inbox as those see it who read it: streams, marks, takes, retention."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from tidelake.batch import Gap
from tidelake.errors import DamagedError, UsageError
from tidelake.files import Disk
from tidelake.inbox.frame import SEGMENT_BYTES, Damage, Frame, Read, frames, seed_of
from tidelake.inbox.lane import Lane, LaneState
from tidelake.inbox.layout import LanePaths, lanes, read_incarnation
from tidelake.inbox.mark import Mark, MarkWriter
from tidelake.inbox.opened import opened
from tidelake.inbox.recovery import last_row, recover
from tidelake.inbox.take import InboxTake, piece

MB = 1 << 20
# Whatever is asked for: an Arrow array of binary values ends at 2 GB.
MOST_BYTES = 1024 * MB


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much one take holds, at most; always at least one row.

    Bytes (`MOST_BYTES` at most) are those in memory, each record with its envelope: a few
    stored ones may become millions.
    """

    max_bytes: int = 16 * MB
    max_rows: int = 1 << 20


DEFAULT_BOUNDS = Bounds()


@dataclass(frozen=True, slots=True)
class _Cursor:
    """Where the row after `row` is looked for: an offset in a segment."""

    row: int
    name: str
    offset: int


class Inbox:
    """Reads an inbox that others write. Any number of readers may; none disturbs another."""

    def __init__(self, home: Path, disk: Disk) -> None:
        self._home = home
        self._disk = disk
        self._lanes: dict[str, Lane] = {}
        self._cursors: dict[str, _Cursor] = {}

    def streams(self) -> tuple[str, ...]:
        """The stream of each lane; none where there is no inbox yet."""
        return tuple(lane.paths.stream for lane in self._known())

    def marks(self) -> Mapping[str, int]:
        """The last record of each stream that is accepted and may be read."""
        return {lane.paths.stream: lane.mark().row for lane in self._known()}

    def takes(
        self, stream: str, after: int, until: int | None = None, bounds: Bounds = DEFAULT_BOUNDS
    ) -> Iterator[InboxTake]:
        """The records after `after` up to the mark (or `until`, if that is less), cut into takes.

        Every record is in exactly one take. Taking again from the same row gives the same records,
        though perhaps cut otherwise. Raises `DamagedError` where the lane ends before `after`.
        """
        lane = self._lane(stream)
        mark = lane.mark()
        if after > mark.row:
            self._refuse_if_shorter(lane, after)
        last = mark.row if until is None else min(until, mark.row)
        while after < last:
            take = self._take(lane, mark, after, last, bounds)
            yield take
            after = take.last

    def release(self, stream: str, row: int) -> None:
        """Note that the lake holds the records up to `row`, also if that is less than before."""
        self._lane(stream).release(row)

    def recover(self) -> None:
        """Publish what lanes hold whose writer has died and has no successor."""
        for lane in self._known():
            lock = self._disk.lock(lane.paths.running("lock"))
            if lock is None:
                continue
            try:
                mark = recover(lane.paths, self._disk)
                writer = MarkWriter(self._disk, lane.paths.running("mark"))
                writer.publish(mark)
                writer.close()
            finally:
                lock.release()

    def sweep(self, now: float, keep_s: float) -> int:
        """Remove segments that the lake holds whole and that are older; gives the bytes freed.

        `now` in seconds since 1970. The last segment stays: it says which row comes next.
        """
        freed = 0
        for lane in self._known():
            lane.look_again()
            released, known = lane.released(), lane.sizes()
            for (segment, size, written_at), (following, *_) in pairwise(known):
                if following.first - 1 > released or now - written_at < keep_s:
                    break
                self._disk.remove(lane.paths.segment(segment))
                freed += size
            if freed:
                self._disk.sync_folder(lane.paths.folder, "inbox.segment")
                lane.look_again()
        return freed

    def backlog_bytes(self) -> int:
        """About the bytes of the records that the lake does not hold."""
        return sum(lane.unreleased_bytes() for lane in self._known())

    def lanes(self) -> list[LaneState]:
        """Each lane in numbers."""
        return [self._state(lane) for lane in self._known()]

    def _state(self, lane: Lane) -> LaneState:
        lane.look_again()
        known = lane.sizes()
        lock = self._disk.lock(lane.paths.running("lock"))
        if lock is not None:
            lock.release()
        return LaneState(
            lane.paths.lane,
            lane.paths.stream,
            lane.mark().row,
            lane.released(),
            len(known),
            sum(size for _, size, _ in known),
            lane.unreleased_bytes(),
            max((written_at for *_, written_at in known), default=None),
            lock is None,
        )

    def _known(self) -> list[Lane]:
        incarnation = read_incarnation(self._home, self._disk)
        if incarnation is None:
            return []
        found = [LanePaths(self._home, incarnation, n) for n in lanes(self._home, self._disk)]
        return [self._lanes.setdefault(p.stream, Lane(p, self._disk)) for p in found]

    def _lane(self, stream: str) -> Lane:
        lane = self._lanes.get(stream)
        if lane is None:
            self._known()
            lane = self._lanes.get(stream)
        if lane is None:
            raise UsageError(
                f"the inbox in {self._home} has no stream {stream}",
                hint="`tidelake inbox list` shows its streams.",
            )
        return lane

    def _refuse_if_shorter(self, lane: Lane, after: int) -> None:
        """A position beyond the mark: the mark may be old, but the records must be there."""
        known = lane.look_again()
        if not known or last_row(lane.paths, known[-1]) < after:
            raise DamagedError(
                f"{lane.paths.stream} ends before row {after}, which the lake holds already",
                hint=f"{lane.paths.folder} was cut or replaced by an older copy. Move the inbox"
                " away: a new one is made, under a new name.",
            )

    def _take(self, lane: Lane, mark: Mark, after: int, last: int, bounds: Bounds) -> InboxTake:
        stream, folder = lane.paths.stream, lane.paths.folder
        segment, before_next = lane.holder(after + 1, mark)
        limit = min(
            last if before_next is None else min(last, before_next), after + bounds.max_rows
        )
        if segment is None:
            return InboxTake(stream, after + 1, limit, folder)
        cursor = self._cursors.get(stream)
        begin = SEGMENT_BYTES
        if cursor is not None and (cursor.row, cursor.name) == (after, segment.name):
            begin = cursor.offset
        max_bytes = min(bounds.max_bytes, MOST_BYTES)
        try:
            with opened(lane.paths.segment(segment)) as (read, size):
                seed = seed_of(stream, segment.name)
                reach = _reach(read, begin, size, seed, after, limit, max_bytes)
        except FileNotFoundError:
            if segment in lane.look_again():
                return InboxTake(stream, after + 1, limit, folder, segment.name)
            return self._take(lane, mark, after, last, bounds)  # swept since it was listed
        self._cursors[stream] = _Cursor(reach.row, segment.name, reach.resume)
        return InboxTake(
            stream, after + 1, reach.row, folder, segment.name, begin, reach.end, reach.size
        )


@dataclass(frozen=True, slots=True)
class _Reach:
    """How far a take goes: its last row, the end of its bytes, where the next begins, its size."""

    row: int
    end: int
    resume: int
    size: int


def _reach(
    read: Read, begin: int, size: int, seed: int, after: int, limit: int, max_bytes: int
) -> _Reach:
    """From `begin` frame by frame until the limit, or until the records' expanded size is reached.

    Where the frames end before the limit, the rest of the rows is lost and belongs to this take.
    """
    row, end, resume, taken = after, begin, begin, 0
    for item in frames(read, begin, size, seed):
        if isinstance(item, Damage):
            end = item.end
            continue
        if item.first > limit:
            break
        if item.last <= row:
            end = item.end
            continue
        first, last, weight = max(item.first, row + 1), min(item.last, limit), item.weight
        if taken + weight > max_bytes:
            last, weight = _fitting(item, read, seed, first, last, max_bytes - taken)
            if row > after and taken + weight > max_bytes:
                return _Reach(row, end, resume, taken)
        row, end, taken = last, item.end, taken + weight
        resume = item.end if row == item.last else item.offset
        if row == limit or row < item.last or taken >= max_bytes:
            return _Reach(row, end, resume, taken)
    return _Reach(limit, end, resume, taken)


def _fitting(
    frame: Frame, read: Read, seed: int, first: int, last: int, max_bytes: int
) -> tuple[int, int]:
    """The last of the rows `first..last` of a frame that fits, at least the first; their size."""
    found = piece(frame, read, seed, first, last, "")
    return (last, 0) if isinstance(found, Gap) else found.fitting(max_bytes)
