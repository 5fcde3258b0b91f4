"""What a lane holds, found out from its bytes after a crash."""

from __future__ import annotations

from tidelake.files import Disk
from tidelake.inbox.frame import Frame, frames, payload_is_valid, seed_of
from tidelake.inbox.layout import LanePaths, Segment, segments
from tidelake.inbox.mark import Mark, MarkReader
from tidelake.inbox.opened import opened


def recover(paths: LanePaths, disk: Disk) -> Mark:
    """The mark of a lane that nobody writes (its lock is held), after making durable what it says.

    A torn end of the last segment was never acknowledged and is passed over in silence, unless an
    earlier mark says that it was: then its rows stay counted, and readers name them as lost.
    """
    found = segments(paths, disk)
    if not found:
        return Mark()
    last = found[-1]
    row = last_row(paths, last)
    # The records may be in the page cache only: whoever wrote them died before the sync. The
    # segment's name is durable: nothing is written before it is.
    disk.sync_file(paths.segment(last), "inbox.recovery")
    known = [MarkReader(paths.running(what)).read() for what in ("mark", "released")]
    return Mark(max([row, *(mark.row for mark in known if mark)]), last.count)


def last_row(paths: LanePaths, segment: Segment) -> int:
    """The last row of the last valid frame; the row before the segment's first if there is none.

    The rows before a segment's first were durable when it was made.
    """
    seed = seed_of(paths.stream, segment.name)
    row = segment.first - 1
    with opened(paths.segment(segment)) as (read, size):
        for item in frames(read, 0, size, seed):
            if isinstance(item, Frame) and item.last > row:
                payload = memoryview(read(item.payload, item.length))
                if payload_is_valid(item, payload, seed):
                    row = item.last
    return row
