"""When the inbox takes no more: too much is unread, or the disk is nearly full."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from tidelake.errors import OverloadedError
from tidelake.files import Disk
from tidelake.inbox.reader import Inbox

LOOK_AGAIN_S = 0.5
BACKLOG_RETRY_S = 5
FULL_RETRY_S = 30


class InboxBound:
    """Asked before each request; looks at the disk at most every half second."""

    def __init__(
        self,
        home: Path,
        disk: Disk,
        max_bytes: int,
        min_free_bytes: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._inbox = Inbox(home, disk)
        self._home = home
        self._disk = disk
        self._max_bytes = max_bytes
        self._min_free_bytes = min_free_bytes
        self._clock = clock
        self._look_at = float("-inf")
        self._refusal: tuple[str, str, int] | None = None
        self.backlog_bytes = 0

    def check(self) -> None:
        """Raises `OverloadedError` where no more may be accepted now."""
        now = self._clock()
        if now >= self._look_at:
            self._refusal = self._look()
            self._look_at = now + LOOK_AGAIN_S
        if self._refusal is not None:
            message, hint, retry_after = self._refusal
            raise OverloadedError(message, hint=hint, retry_after=retry_after)

    def _look(self) -> tuple[str, str, int] | None:
        self.backlog_bytes = self._inbox.backlog_bytes()
        if self.backlog_bytes >= self._max_bytes:
            return (
                f"{self.backlog_bytes} bytes in the inbox wait for the lake,"
                f" {self._max_bytes} may (inbox.max_bytes)",
                "Look at `tidelake status`: ingest is slower than the clients, or stands still.",
                BACKLOG_RETRY_S,
            )
        free = self._disk.free_bytes(self._home)
        if free < self._min_free_bytes:
            return (
                f"{free} bytes are free below {self._home},"
                f" {self._min_free_bytes} must be (inbox.min_free_bytes)",
                "Free space on that file system; tidelake goes on by itself.",
                FULL_RETRY_S,
            )
        return None
