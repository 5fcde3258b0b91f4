"""From sources to the lake: takes in order, encoded by workers, committed by one committer.

    source ─► takes ─► workers (read, process, write) ─► in order again ─► committer ─► release

A turn of the loop starts what can start, then commits what is finished at the head of every
stream. Nothing is held in memory but descriptions: what a worker stored is in the warehouse, what
it has not stored is still in the source.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Protocol

from tidelake import crash
from tidelake.batch import Take
from tidelake.errors import FailedTakeError, TidelakeError
from tidelake.lake.commit import Committed
from tidelake.lake.writer import StoredRange
from tidelake.pipeline.caution import Caution

QUIET_RECORDS = 200  # with fewer waiting traffic is low, and they may wait longer for a commit
FULL_RECORDS = 8_192  # with more waiting there is a backlog, and nothing waits for a commit


class Source(Protocol):
    """What the ingest needs of a source; `sources.Source` says what its words mean."""

    def accepted(self) -> Mapping[str, int]: ...
    def takes(self, stream: str, after: int, until: int | None = None) -> Iterator[Take]: ...
    def release(self, stream: str, row: int) -> None: ...


class Lake(Protocol):
    """What the ingest needs of a committer."""

    def start_positions(self) -> dict[str, tuple[int, int]]: ...
    def judged(self, stream: str, after: int, until: int) -> set[int]: ...
    def commit(self, group: list[StoredRange]) -> Committed: ...


class Workers(Protocol):
    """Runs an encoder on a take, soon and elsewhere."""

    def submit(self, take: Take, judged: frozenset[int]) -> Future[StoredRange]: ...


@dataclass(frozen=True, slots=True)
class Pace:
    """When to take and when to commit; seconds and counts."""

    busy_s: float = 1.0
    quiet_s: float = 5.0
    batch_bytes: int = 16 * 1024 * 1024
    takes_at_once: int = 4  # takes that are read, encoded or waiting for their commit's turn
    takes_a_commit: int = 64


@dataclass(frozen=True, slots=True)
class _Pending:
    """A take that a worker has."""

    take: Take
    future: Future[StoredRange]

    def result(self) -> StoredRange:
        """What the worker stored; raises `FailedTakeError` for trouble that is not ours."""
        try:
            return self.future.result()
        except TidelakeError:
            raise
        except Exception as exc:
            take, cause = self.take, f"{type(exc).__name__}: {exc}"
            raise FailedTakeError(take.stream, take.first, take.last, cause) from exc


@dataclass(slots=True)
class _Stream:
    """One stream's place: `taken` is the last record handed to a worker."""

    name: str
    taken: int
    judged: frozenset[int] = frozenset()
    judged_until: int = 0
    taken_at: float = float("-inf")
    pending: deque[_Pending] = field(default_factory=deque)


@dataclass(slots=True)
class Progress:
    """What this process did since it started."""

    commits: int = 0
    events: int = 0
    rejected: int = 0
    damaged: int = 0
    raw_bytes: int = 0
    most_in_flight: int = 0


class Loop:
    """The loop over one source. Made anew after any error: all it knows it can ask for again."""

    def __init__(
        self,
        source: Source,
        lake: Lake,
        workers: Workers,
        pace: Pace,
        clock: Callable[[], float],
        committed: Callable[[Committed, list[StoredRange]], None] = lambda _c, _g: None,
        caution: Caution | None = None,
    ) -> None:
        self._source = source
        self._lake = lake
        self._workers = workers
        self._pace = pace
        self._clock = clock
        self._committed = committed
        self._caution = caution or Caution()
        self._positions = lake.start_positions()
        self._streams: dict[str, _Stream] = {}
        self._last_commit = self._last_take = float("-inf")
        self._draining = False
        self._last: dict[str, int] = {}  # while draining: the last record of each stream
        self.progress = Progress()

    def turn(self) -> bool:
        """One look at everything; True where something was started or committed."""
        started = self._start_takes()
        group = self._finished()
        if group:
            self._commit(group)
        return started or bool(group)

    def drain(self) -> None:
        """What the sources hold now is taken and committed at once; what comes later is left.

        So a drain ends, however fast records come in.
        """
        self._draining = True
        self._last = dict(self._source.accepted())

    @property
    def idle(self) -> bool:
        """Nothing is under way, and the sources hold nothing beyond what was taken."""
        ends = self._ends()
        return not self.in_flight and all(
            end <= self._stream(name).taken for name, end in ends.items()
        )

    @property
    def accepted(self) -> int:
        """Records that the sources hold or held, up to the last one."""
        return sum(self._source.accepted().values())

    @property
    def held(self) -> int:
        """Of them, those that the lake holds."""
        return sum(self._position(name) for name in self._source.accepted())

    @property
    def in_flight(self) -> int:
        """Records that were taken and are not committed."""
        return sum(s.taken - self._position(s.name) for s in self._streams.values())

    def _start_takes(self) -> bool:
        streams = [(self._stream(name), end) for name, end in self._ends().items()]
        due = [s for s, end in streams if end > s.taken and self._due(s, end - s.taken)]
        started = self._take_in_turn(due)
        if started:
            self._last_take = self._clock()
        self.progress.most_in_flight = max(self.progress.most_in_flight, self.in_flight)
        return started

    def _ends(self) -> Mapping[str, int]:
        return self._last if self._draining else self._source.accepted()

    def _due(self, stream: _Stream, waiting: int) -> bool:
        """Whether `waiting` records are taken now, or wait for company.

        After a silence the first record is taken at once; then a take comes after each interval,
        so that what encoding and committing take is not added to it.
        """
        if self._draining or waiting >= FULL_RECORDS or self._caution.rows(stream.name):
            return True
        patience = self._pace.quiet_s if waiting < QUIET_RECORDS else self._pace.busy_s
        return not stream.pending and self._clock() - self._last_take >= patience

    def _take_in_turn(self, due: list[_Stream]) -> bool:
        """One take of each stream and again, those with the fewest under way first.

        So a stream that never runs dry does not starve the others.
        """
        at_once = 1 if self._caution.streams else self._pace.takes_at_once
        room = at_once - sum(
            not one.future.done() for s in self._streams.values() for one in s.pending
        )
        takes = {stream.name: self._takes(stream) for stream in due}
        started = False
        while due and room > 0:
            stream = min(due, key=lambda s: (len(s.pending), s.taken_at))
            take = next(takes[stream.name], None)
            if take is None or len(stream.pending) >= self._pace.takes_a_commit:
                due = [other for other in due if other is not stream]
                continue
            judged = stream.judged if take.first <= stream.judged_until else frozenset()
            future = self._workers.submit(take, judged)
            stream.pending.append(_Pending(take, future))
            stream.taken, stream.taken_at = take.last, self._clock()
            started, room = True, room - 1
        return started

    def _takes(self, stream: _Stream) -> Iterator[Take]:
        rows = self._caution.rows(stream.name)
        until = None if rows is None else stream.taken + rows
        return self._source.takes(stream.name, stream.taken, until)

    def _finished(self) -> list[StoredRange]:
        """What is finished at the head of each stream, once a commit is due.

        Also while draining: a commit costs as much as thousands of records, so those under way are
        company worth waiting for.
        """
        heads = [s for s in self._streams.values() if s.pending and s.pending[0].future.done()]
        unfinished = any(not one.future.done() for s in self._streams.values() for one in s.pending)
        soon = self._clock() - self._last_commit < self._pace.busy_s
        if not heads or (unfinished and soon):
            return []
        group = []
        for stream in heads:
            while stream.pending and stream.pending[0].future.done():
                group.append(stream.pending.popleft().result())
        return group

    def _commit(self, group: list[StoredRange]) -> None:
        committed = self._lake.commit(group)
        self._last_commit = self._clock()
        for stream, position in committed.positions.items():
            self._positions[stream] = (position, position)
        self._count(committed)
        self._caution.committed(committed.positions)
        self._committed(committed, group)
        for stream, position in committed.positions.items():
            self._source.release(stream, position)
        crash.point("commit.after_release")

    def _count(self, committed: Committed) -> None:
        tally, progress = committed.tally, self.progress
        progress.commits += 1
        progress.events += tally.events
        progress.rejected += sum(tally.rejected.values())
        progress.damaged += tally.damaged
        progress.raw_bytes += tally.raw_bytes

    def _stream(self, name: str) -> _Stream:
        if name not in self._streams:
            done, rejects = self._positions.get(name, (0, 0))
            judged = frozenset(self._lake.judged(name, done, rejects)) if rejects > done else None
            # The note of what is released may be lost, and the bound of the inbox counts by it.
            if done:
                self._source.release(name, done)
            self._streams[name] = _Stream(name, done, judged or frozenset(), rejects)
        return self._streams[name]

    def _position(self, stream: str) -> int:
        return self._positions.get(stream, (0, 0))[0]
