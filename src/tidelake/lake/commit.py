"""The committer: finished ranges of streams become rows of both tables, each record exactly once.

Rejects are committed first, events second, always. Start again from the position of `events`:
records that stand in `rejected_events` beyond it are judged already (`judged`). Every move of a
position is a snapshot, an empty one if there are no rows: the main branch is the compare-and-swap,
and a position moved without one could be rewound by a committer that slept.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tidelake import crash
from tidelake.errors import UsageError
from tidelake.event.contract import EVENTS, REJECTED
from tidelake.lake import pointer, sources
from tidelake.lake.append import Append, Forget, Moves, commit_id
from tidelake.lake.judged import judged_records
from tidelake.lake.positions import positions
from tidelake.lake.swap import Swapper, nothing
from tidelake.lake.tables import load_table
from tidelake.lake.tally import Tally
from tidelake.lake.writer import StoredRange

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog
    from pyiceberg.table import Table


@dataclass(frozen=True, slots=True)
class Committed:
    """What a commit left behind on `events`."""

    commit_id: str  # 32 hex digits
    snapshot_id: int
    sequence_number: int
    committed_at_ms: int  # the snapshot's own time
    positions: Mapping[str, int]  # of the streams in the group
    tally: Tally


class Committer:
    """Commits ranges of the streams it is given; holds their positions between commits.

    Other committers may work beside it on other streams. On the same stream the second one to
    commit is refused with `FencedError`: it must be made anew and start from the positions.
    """

    def __init__(
        self,
        catalog: Catalog,
        *,
        sleep: Callable[[float], None] = time.sleep,
        before_swap: Callable[[Table], None] = nothing,
    ) -> None:
        self._catalog = catalog
        self._events = Swapper(catalog, EVENTS.table, sleep, before_swap)
        self._rejects = Swapper(catalog, REJECTED.table, sleep, before_swap)
        self._known: dict[str, dict[str, int]] | None = None

    def start_positions(self) -> dict[str, tuple[int, int]]:
        """For each stream the committed positions of `events` and of `rejected_events`.

        Both version hints are brought up to date first: whoever reads a position may let the source
        forget what is behind it.
        """
        events = load_table(self._catalog, EVENTS.table)
        rejects = load_table(self._catalog, REJECTED.table)
        for table in (rejects, events):
            pointer.publish(table)
        done, judged = positions(events.properties), positions(rejects.properties)
        self._known = {EVENTS.table: done, REJECTED.table: judged}
        return {s: (done.get(s, 0), judged.get(s, 0)) for s in sorted(done.keys() | judged.keys())}

    def judged(self, stream: str, after: int, until: int) -> set[int]:
        """Numbers of the records in `(after, until]` that stand in `rejected_events`."""
        if until <= after:
            return set()
        return set(judged_records(load_table(self._catalog, REJECTED.table), stream, after, until))

    def commit(self, group: Sequence[StoredRange]) -> Committed:
        """Commits the ranges, which follow the committed positions without holes.

        Raises `FencedError` where another committer has moved a stream, `UnavailableError` where it
        could not be done within the tries: the same group may be committed again, and what has
        landed of it is found.
        """
        ends = self._ends(group)
        tally = Tally.of(group)
        identity = commit_id(group)
        crash.point("commit.before_rejects")
        self._commit_rejects(group, tally, identity)
        crash.point("commit.before_events")
        table = self._commit_events(group, ends, tally, identity)
        snapshot = table.metadata.current_snapshot()
        assert snapshot is not None, "a commit leaves a snapshot"
        return Committed(
            commit_id=identity,
            snapshot_id=snapshot.snapshot_id,
            sequence_number=snapshot.sequence_number or 0,
            committed_at_ms=snapshot.timestamp_ms,
            positions=ends,
            tally=tally,
        )

    def _commit_rejects(self, group: Sequence[StoredRange], tally: Tally, identity: str) -> None:
        files = [file for one in group for file in one.files if file.table == REJECTED.table]
        if not files:
            return
        known = self._positions(REJECTED.table)
        # A range that was cut otherwise in an earlier run may end before what is judged already.
        ends: dict[str, int] = {}
        for one in group:
            if any(file.table == REJECTED.table for file in one.files):
                ends[one.stream] = max(one.last, known.get(one.stream, 0))
        change = Append(
            files=tuple(files),
            moves=Moves.between(known, ends),
            counts=tally.reject_counts,
            summary=tally.reject_summary,
            identity=identity,
            finished=self.finished,
        )
        table = self._rejects.swap(change)
        known.update(ends)
        crash.point("commit.after_rejects")
        crash.point("commit.before_rejects_hint")
        pointer.publish(table)

    def _commit_events(
        self, group: Sequence[StoredRange], ends: dict[str, int], tally: Tally, identity: str
    ) -> Table:
        known = self._positions(EVENTS.table)
        change = Append(
            files=tuple(file for one in group for file in one.files if file.table == EVENTS.table),
            moves=Moves.between(known, ends),
            counts=tally.event_counts,
            summary=tally.event_summary,
            identity=identity,
            finished=self.finished,
        )
        table = self._events.swap(change)
        known.update(ends)
        crash.point("commit.after_events")
        pointer.publish(table)
        crash.point("commit.after_hint")
        return table

    def _ends(self, group: Sequence[StoredRange]) -> dict[str, int]:
        """The position of each stream after the group; raises `UsageError` where it has a hole."""
        known, ends = self._positions(EVENTS.table), dict[str, int]()
        for one in group:
            before = ends.get(one.stream, known.get(one.stream, 0))
            if one.first != before + 1 or one.last < one.first:
                raise UsageError(
                    f"{one.stream}: {one.first}..{one.last} does not follow position {before}",
                    hint="Start again from the committed positions.",
                )
            ends[one.stream] = one.last
        if not ends:
            raise UsageError("nothing to commit: the group has no ranges")
        return ends

    def _positions(self, table: str) -> dict[str, int]:
        if self._known is None:
            self.start_positions()
        assert self._known is not None, "just loaded"
        return self._known[table]

    def finished(self, stream: str) -> int | None:
        """Records of a stream that was committed in whole; none where it was not."""
        return sources.records(self._catalog, stream)

    def finish_source(self, stream: str, records: int) -> None:
        """Marks a stream as committed in whole, for ever, and drops its position from both tables.

        May be called again at any time: a crash between the mark and the drops is mended so.
        """
        crash.point("source.before_done")
        sources.mark(self._catalog, stream, records)
        crash.point("source.after_done")
        for swapper, name in ((self._rejects, REJECTED.table), (self._events, EVENTS.table)):
            pointer.publish(swapper.swap(Forget(stream, records, books=name == EVENTS.table)))
            self._positions(name).pop(stream, None)
