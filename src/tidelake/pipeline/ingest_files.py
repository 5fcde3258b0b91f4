"""`tidelake ingest FILE…`: files into the lake, each record once however often it is called."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass

from tidelake import files
from tidelake.batch import Take
from tidelake.errors import FencedError, TransientError, UsageError
from tidelake.lake.commit import Committed, Committer
from tidelake.lake.writer import StoredRange
from tidelake.pipeline.ingest import encoder_of, pace_of
from tidelake.pipeline.lakehouse import Lakehouse
from tidelake.pipeline.ledger import row_of
from tidelake.pipeline.loop import Loop
from tidelake.pipeline.stopping import Stop
from tidelake.pipeline.workers import ProcessWorkers
from tidelake.sources import FileSource
from tidelake.warehouse.commits import CommitLedger

TURN_S = 0.01
TRIES = 5
BESIDE_S = 0.5  # until the next look, where another ingest has the same file
FIRST_LOOK = 20  # records from which on the first part of a file says what the file is
MOST_REJECTED = 0.9  # of a first part that can be meant


@dataclass(frozen=True, slots=True)
class Ingested:
    """What became of one file."""

    name: str
    records: int
    events: int = 0
    rejected: int = 0
    already: bool = False  # the lake held all of it before
    whole: bool = True  # False: interrupted; the same command goes on from here


@dataclass(frozen=True)
class _Unfinished:
    """The files that the lake does not hold in whole yet, as the loop sees them."""

    source: FileSource
    streams: frozenset[str]

    def accepted(self) -> Mapping[str, int]:
        return {s: n for s, n in self.source.accepted().items() if s in self.streams}

    def takes(self, stream: str, after: int, until: int | None = None) -> Iterator[Take]:
        return self.source.takes(stream, after, until)

    def release(self, stream: str, row: int) -> None:
        self.source.release(stream, row)


def ingest_files(
    lakehouse: Lakehouse,
    paths: Sequence[str],
    stop: Stop,
    *,
    format: str = "native",
    max_age_days: float | None = None,
    force: bool = False,
    progress: Callable[[int, int], None] = lambda _done, _of: None,
) -> list[Ingested]:
    """Brings the files to the lake, beside a running pipeline or alone; one result a file.

    `progress` gets records in the lake and records in all. `max_age_days` widens the oldest time
    that is taken. Another ingest of the same file may run: each record is taken by one of them.
    Raises `UsageError` for a file that can not be read, or whose first records are rejected nearly
    all (with `force` they are taken), `UnavailableError` where lake or catalog stay away.
    """
    settings = lakehouse.settings
    encoder = encoder_of(lakehouse, max_age_days)
    with (
        closing(FileSource(paths, settings.home, files.open_disk(), format=format)) as source,
        closing(CommitLedger(lakehouse.database_url)) as ledger,
        ProcessWorkers(encoder, settings.process.workers) as workers,
    ):
        count = _Count(progress, source, ledger)

        def new_loop() -> Loop:
            committer = Committer(lakehouse.catalog)
            count.look(committer)
            left = _Unfinished(source, frozenset(count.unfinished))
            lake = committer if force else _FirstLook(committer, source)
            pace = pace_of(settings)
            return Loop(left, lake, workers, pace, time.monotonic, count.committed)

        _until_whole(new_loop, stop)
        committer = Committer(lakehouse.catalog)
        for stream in count.unfinished:
            if count.held[stream] == source.accepted()[stream]:
                _finish(committer, stream, count.held[stream])
        return [count.told(stream) for stream in source.streams()]


def _until_whole(new_loop: Callable[[], Loop], stop: Stop) -> None:
    """Runs loops until one has committed everything, or until `stop`; waits out passing trouble.

    Where another ingest has committed of the same file meanwhile, what it has left is looked at
    anew: that ends, since it happens only while somebody gets on.
    """
    attempt = 1
    while True:
        try:
            loop = new_loop()
            loop.drain()
            while not loop.idle and not stop:
                if not loop.turn():
                    stop.wait(TURN_S)
            return
        except FencedError:
            if stop.wait(random.uniform(0, BESIDE_S)):
                return
        except TransientError:
            if attempt == TRIES or stop.wait(2.0**attempt / 4):
                raise
            attempt += 1


def _finish(committer: Committer, stream: str, records: int) -> None:
    """Marks a file as taken in whole; another ingest may be doing it just now."""
    try:
        committer.finish_source(stream, records)
    except FencedError:
        if committer.finished(stream) is None:
            raise


@dataclass(frozen=True)
class _FirstLook:
    """A lake that refuses a file whose first records are rejected nearly all.

    Once committed, a file is never taken again: a wrong format or a forgotten `--since` has to be
    found before.
    """

    committer: Committer
    source: FileSource

    def start_positions(self) -> dict[str, tuple[int, int]]:
        return self.committer.start_positions()

    def judged(self, stream: str, after: int, until: int) -> set[int]:
        return self.committer.judged(stream, after, until)

    def commit(self, group: list[StoredRange]) -> Committed:
        for part in group:
            rejected = Counter(part.rejected)
            records = part.last - part.first + 1
            telling = part.first == 1 and records >= FIRST_LOOK
            if telling and rejected.total() > MOST_REJECTED * records:
                raise self._refused(part, rejected, records)
        return self.committer.commit(group)

    def _refused(self, part: StoredRange, rejected: Counter[str], records: int) -> UsageError:
        ((reason, times),) = rejected.most_common(1)
        return UsageError(
            f"{self.source.name(part.stream)}: of its first {records:,} records "
            f"{rejected.total():,} would be rejected, {times:,} as {reason}; nothing of it was "
            "taken",
            hint="Are they of another format (--format), or older than is taken (--since)? "
            "With --force they are taken all the same.",
        )


class _Count:
    """Records of each file that the lake holds, and what became of those of this call."""

    def __init__(
        self, progress: Callable[[int, int], None], source: FileSource, ledger: CommitLedger
    ) -> None:
        self.finished: dict[str, int | None] = {}
        self.held: dict[str, int] = {}
        self._events: Counter[str] = Counter()
        self._rejected: Counter[str] = Counter()
        self._progress = progress
        self._source = source
        self._ledger = ledger

    @property
    def unfinished(self) -> list[str]:
        return [stream for stream, records in self.finished.items() if records is None]

    def look(self, committer: Committer) -> None:
        """Asks the lake what it holds: before the first loop, and after trouble."""
        # Positions first: where a file is finished in between, its mark is seen.
        positions = committer.start_positions()
        for stream in self._source.streams():
            self.finished[stream] = committer.finished(stream)
            self.held[stream] = self.finished[stream] or positions.get(stream, (0, 0))[0]

    def committed(self, committed: Committed, group: list[StoredRange]) -> None:
        for one in group:
            self.held[one.stream] = one.last
            self._events[one.stream] += one.events
            self._rejected[one.stream] += sum(one.rejected.values())
        self._ledger.insert(row_of(committed, group, time.time()))
        open_streams, accepted = self.unfinished, self._source.accepted()
        self._progress(
            sum(self.held[s] for s in open_streams), sum(accepted[s] for s in open_streams)
        )

    def told(self, stream: str) -> Ingested:
        records = self._source.accepted()[stream]
        events, rejected = self._events[stream], self._rejected[stream]
        whole = self.held[stream] == records
        return Ingested(
            name=self._source.name(stream),
            records=records,
            events=events,
            rejected=rejected,
            already=whole and records > 0 and not events + rejected,
            whole=whole,
        )
