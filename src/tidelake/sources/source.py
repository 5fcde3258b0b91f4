"""The promise of every source."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol

from tidelake.batch import Take


class Source(Protocol):
    """Raw records in streams, each with a number, handed out as takes.

    A *stream* is one ordered run of records, numbered from 1 without holes; `tidelake.batch` says
    how it is named. *Accepted* is the last record that the source answers for: it was promised to a
    client, or lies in a file that was named to us. A *take* is a range of records that can be read
    anywhere and any number of times. To *release* a record is to say that the lake holds it.

    The source keeps no position: who reads it says after which record, and may ask again for what
    was taken before, as long as it was not released. Asking again gives the same records with the
    same numbers, whatever the cuts between takes.
    """

    def streams(self) -> tuple[str, ...]:
        """The streams there are now; more may come, and none goes that has unreleased records."""

    def accepted(self) -> Mapping[str, int]:
        """The last accepted record of each stream, 0 for none; it never goes down."""

    def takes(self, stream: str, after: int, until: int | None = None) -> Iterator[Take]:
        """The accepted records `after + 1 ..`, in order, each in exactly one take, without waiting.

        With `until` the last take ends there exactly, if so many are accepted. None where nothing
        is new. Raises `UsageError` for a stream that is not one of ours and `DamagedError` where
        the stream ends before `after`. Records that can not be read any more are gaps in a take.
        """

    def release(self, stream: str, row: int) -> None:
        """The lake holds the records up to `row`, durably. Repeating it changes nothing.

        A crash may lose it: the source then keeps records longer, never shorter.
        """
