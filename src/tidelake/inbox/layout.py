"""Where the parts of an inbox lie below the home.

    inbox/incarnation                           a UUID, written when the inbox is made
    inbox/lanes/<lane>/<first row>-<count>.seg  segments; `count` counts those of the lane
    run/inbox/<incarnation>/<lane>.lock         held by the lane's writer
    run/inbox/<incarnation>/<lane>.mark         last record that is durable, and its segment
    run/inbox/<incarnation>/<lane>.released     last record that the lake holds

Everything in `run/` may be lost at any time without losing a record.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tidelake.batch import stream_name
from tidelake.errors import DamagedError
from tidelake.files import Disk

_NAME = re.compile(r"(\d{20})-(\d{8,})\.seg")


@dataclass(frozen=True, slots=True, order=True)
class Segment:
    """One file of a lane. In order, the later one decides whose a row is.

    A segment that was abandoned (its disk failed) may hold rows that were never acknowledged and
    that its successor counts again: rows from the successor's `first` on are the successor's.
    """

    first: int
    count: int

    @property
    def name(self) -> str:
        return f"{self.first:020d}-{self.count:08d}.seg"

    @classmethod
    def named(cls, name: str) -> Segment | None:
        found = _NAME.fullmatch(name)
        return cls(int(found[1]), int(found[2])) if found else None


@dataclass(frozen=True, slots=True)
class LanePaths:
    """One lane's files and stream."""

    home: Path
    incarnation: str
    lane: int

    @property
    def stream(self) -> str:
        return stream_name("inbox", self.incarnation, self.lane)

    @property
    def folder(self) -> Path:
        return lanes_folder(self.home) / str(self.lane)

    def segment(self, segment: Segment) -> Path:
        return self.folder / segment.name

    def running(self, what: str) -> Path:
        """Path of the lane's `lock`, `mark` or `released`."""
        return self.home / "run" / "inbox" / self.incarnation / f"{self.lane}.{what}"


def inbox_folder(home: Path) -> Path:
    return home / "inbox"


def lanes_folder(home: Path) -> Path:
    return inbox_folder(home) / "lanes"


def read_incarnation(home: Path, disk: Disk) -> str | None:
    """The incarnation of the inbox; None where there is no inbox; `DamagedError` if unreadable."""
    path = inbox_folder(home) / "incarnation"
    if not disk.exists(path):
        return None
    text = disk.read(path).decode("ascii", "replace").strip()
    try:
        return str(uuid.UUID(text))
    except ValueError as exc:
        raise DamagedError(
            f"{path} holds {text[:80]!r} and no UUID",
            hint="Put the UUID from the lake's position back (inbox/<uuid>/0), or move the inbox"
            " away: a new one is made.",
        ) from exc


def make_incarnation(home: Path, disk: Disk, new_id: Callable[[], uuid.UUID] = uuid.uuid4) -> str:
    """The incarnation of the inbox, which is made if there is none."""
    found = read_incarnation(home, disk)
    if found is not None:
        return found
    lock = disk.lock(home / "run" / "inbox.lock", wait=True)
    try:
        found = read_incarnation(home, disk)  # another process may have been faster
        if found is None:
            found = str(new_id())
            _refuse_strange_lanes(home, disk)
            disk.make_folder(lanes_folder(home), "inbox.folder")
            path = inbox_folder(home) / "incarnation"
            disk.write_atomically(path, f"{found}\n".encode(), "inbox.incarnation")
        return found
    finally:
        if lock is not None:
            lock.release()


def _refuse_strange_lanes(home: Path, disk: Disk) -> None:
    if lanes(home, disk):
        raise DamagedError(
            f"{lanes_folder(home)} holds records, {inbox_folder(home)}/incarnation is gone",
            hint="Write the UUID of the lake's position (inbox/<uuid>/0) into that file, or move"
            " the inbox away: a new one is made.",
        )


def lanes(home: Path, disk: Disk) -> list[int]:
    return sorted(int(name) for name in disk.names(lanes_folder(home)) if name.isdigit())


def segments(paths: LanePaths, disk: Disk) -> list[Segment]:
    """The lane's segments, in order."""
    return sorted(filter(None, map(Segment.named, disk.names(paths.folder))))
