"""The inbox, looked at: what its lanes hold, and whether their bytes are what was written."""

from __future__ import annotations

from collections.abc import Iterator

from tidelake.files import open_disk
from tidelake.inbox import Inbox, LaneState, Verified, verify
from tidelake.settings import Settings


def list_lanes(settings: Settings) -> list[LaneState]:
    """Each lane of the inbox in numbers; none where there is no inbox. Raises `DamagedError`."""
    inbox = Inbox(settings.home, open_disk())
    inbox.recover()
    return inbox.lanes()


def verify_inbox(settings: Settings) -> Iterator[Verified]:
    """Reads and checks every segment, one after the other. Raises `DamagedError`."""
    return verify(settings.home, open_disk())
