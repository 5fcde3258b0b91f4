"""Walking through all segments, and saying what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from tidelake.batch import Gap
from tidelake.files import Disk
from tidelake.inbox.frame import SEGMENT_BYTES, check_segment_header, seed_of
from tidelake.inbox.lane import Lane
from tidelake.inbox.layout import LanePaths, Segment, lanes, read_incarnation
from tidelake.inbox.opened import opened
from tidelake.inbox.recovery import last_row
from tidelake.inbox.take import pieces


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong in a segment, with the rows that are lost by it (0: none)."""

    lane: int
    segment: str
    what: str
    first: int = 0
    last: int = 0

    @property
    def rows(self) -> int:
        return self.last - self.first + 1 if self.first else 0


@dataclass(frozen=True, slots=True)
class Verified:
    """What one segment holds: frames and rows that can be read, its bytes, and what is wrong."""

    lane: int
    segment: str
    frames: int
    rows: int
    bytes: int
    findings: tuple[Finding, ...]


def verify(home: Path, disk: Disk) -> Iterator[Verified]:
    """Read every accepted record of every segment and check it.

    A torn end that was never acknowledged is no finding.
    """
    incarnation = read_incarnation(home, disk)
    for number in lanes(home, disk) if incarnation else ():
        lane = Lane(LanePaths(home, incarnation or "", number), disk)
        mark = lane.mark()
        known = lane.look_again()
        for segment, following in pairwise(known):
            with suppress(FileNotFoundError):  # swept since it was listed
                yield _verify_segment(lane.paths, segment, following.first - 1)
        for segment in known[-1:]:
            # The mark may be lost; it may also be all that says what the segment held.
            last = max(mark.row, last_row(lane.paths, segment))
            yield _verify_segment(lane.paths, segment, last)


def _verify_segment(paths: LanePaths, segment: Segment, last: int) -> Verified:
    """The rows of a segment up to `last`, after which the next one begins."""
    seed = seed_of(paths.stream, segment.name)
    found, count, rows = [], 0, 0
    with opened(paths.segment(segment)) as (read, size):
        if wrong := check_segment_header(read(0, SEGMENT_BYTES), segment.name, seed):
            found.append(Finding(paths.lane, segment.name, wrong))
        for item in pieces(read, 0, size, seed, segment.first, last, segment.name):
            if isinstance(item, Gap):
                finding = Finding(paths.lane, segment.name, item.detail, item.first, item.last)
                found.append(finding)
            else:
                count += 1
                rows += item.last - item.first + 1
    return Verified(paths.lane, segment.name, count, rows, size, tuple(found))
