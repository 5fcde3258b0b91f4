"""The inbox as a source."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from tidelake.batch import Take
from tidelake.files import Disk
from tidelake.inbox import DEFAULT_BOUNDS, Bounds, Inbox


class InboxSource:
    """A `Source`: each lane of the inbox is a stream.

    Lanes whose writer died without a successor are recovered when the source is opened, so that
    what they accepted is read also if no collector ever starts again.
    """

    def __init__(self, home: Path, disk: Disk, bounds: Bounds = DEFAULT_BOUNDS) -> None:
        self._inbox = Inbox(home, disk)
        self._bounds = bounds
        self._inbox.recover()

    def streams(self) -> tuple[str, ...]:
        return self._inbox.streams()

    def accepted(self) -> Mapping[str, int]:
        return self._inbox.marks()

    def takes(self, stream: str, after: int, until: int | None = None) -> Iterator[Take]:
        return self._inbox.takes(stream, after, until, self._bounds)

    def release(self, stream: str, row: int) -> None:
        self._inbox.release(stream, row)

    def sweep(self, now: float, keep_s: float) -> int:
        """Remove segments that the lake holds and that are older; gives the bytes freed."""
        return self._inbox.sweep(now, keep_s)
