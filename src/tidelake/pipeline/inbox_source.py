"""The inbox as the ingest loop sees it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tidelake.batch import Take
from tidelake.inbox import Inbox
from tidelake.inbox.reader import Bounds


@dataclass(frozen=True)
class InboxSource:
    """The inbox, with the size of a take that the settings ask for."""

    inbox: Inbox
    bounds: Bounds

    def accepted(self) -> Mapping[str, int]:
        return self.inbox.marks()

    def takes(self, stream: str, after: int) -> Iterator[Take]:
        return self.inbox.takes(stream, after, bounds=self.bounds)

    def release(self, stream: str, row: int) -> None:
        self.inbox.release(stream, row)
