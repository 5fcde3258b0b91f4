"""A lane as those see it who do not write it: its mark, what was released, its segments."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from pathlib import Path

from tidelake.files import Disk
from tidelake.inbox.layout import LanePaths, Segment, segments
from tidelake.inbox.mark import Mark, MarkReader, MarkWriter


@dataclass(frozen=True, slots=True)
class LaneState:
    """A lane in numbers; times in seconds since 1970."""

    lane: int
    stream: str
    mark: int
    released: int
    segments: int
    bytes: int
    unreleased_bytes: int
    written_at: float | None
    claimed: bool


class Lane:
    """One lane, followed."""

    def __init__(self, paths: LanePaths, disk: Disk) -> None:
        self.paths = paths
        self._disk = disk
        self._mark = MarkReader(paths.running("mark"))
        self._released = MarkReader(paths.running("released"))
        self._segments: list[Segment] = []

    def mark(self) -> Mark:
        """What may be read; row 0 where nothing is published."""
        return self._mark.read() or Mark()

    def released(self) -> int:
        """The last record that the lake holds, as far as this machine knows."""
        return (self._released.read() or Mark()).row

    def release(self, row: int) -> None:
        """Note what the lake holds. The lake's position decides; this note is for retention."""
        writer = MarkWriter(self._disk, self.paths.running("released"))
        writer.publish(Mark(row))
        writer.close()

    def segments(self, mark: Mark) -> list[Segment]:
        """The segments that hold the rows up to the mark, and perhaps later ones.

        Listed anew only when the mark is in a segment that is not known: a mark is published after
        its segment was made.
        """
        if not self._segments or self._segments[-1].count < mark.segment:
            self.look_again()
        return self._segments

    def look_again(self) -> list[Segment]:
        self._segments = segments(self.paths, self._disk)
        return self._segments

    def holder(self, row: int, mark: Mark) -> tuple[Segment | None, int | None]:
        """The segment that holds a row, and the last row before the next one, if there is one."""
        known = self.segments(mark)
        at = bisect_right(known, row, key=lambda segment: segment.first)
        following = known[at].first - 1 if at < len(known) else None
        return (known[at - 1] if at else None), following

    def sizes(self) -> list[tuple[Segment, int, float]]:
        """Each segment with its bytes and the time of its last write."""
        found = []
        for segment in self.segments(self.mark()):
            state = _stat(self.paths.segment(segment))
            if state is not None:
                found.append((segment, *state))
        return found

    def unreleased_bytes(self) -> int:
        """About the bytes of the records that the lake does not hold."""
        mark, released, total = self.mark().row, self.released(), 0
        known = self.sizes()
        for i, (segment, size, _) in enumerate(known):
            last = known[i + 1][0].first - 1 if i + 1 < len(known) else mark
            rows = last - segment.first + 1
            if rows > 0:
                total += size * min(max(last - released, 0), rows) // rows
        return total


def _stat(path: Path) -> tuple[int, float] | None:
    try:
        found = path.stat()
    except FileNotFoundError:  # swept since it was listed
        return None
    return found.st_size, found.st_mtime
