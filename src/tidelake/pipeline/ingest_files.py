"""`tidelake ingest FILE…`: files into the lake, each record once however often it is called."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass

from tidelake import files
from tidelake.batch import Take
from tidelake.errors import TransientError
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

    def takes(self, stream: str, after: int) -> Iterator[Take]:
        return self.source.takes(stream, after)

    def release(self, stream: str, row: int) -> None:
        self.source.release(stream, row)


def ingest_files(
    lakehouse: Lakehouse,
    paths: Sequence[str],
    stop: Stop,
    *,
    format: str = "native",
    max_age_days: float | None = None,
    progress: Callable[[int, int], None] = lambda _done, _of: None,
) -> list[Ingested]:
    """Brings the files to the lake, beside a running pipeline or alone; one result a file.

    `progress` gets records in the lake and records in all. `max_age_days` widens the oldest time
    that is taken. Raises `UsageError` for a file that can not be read, `FencedError` where another
    ingest of the same file is at work, `UnavailableError` where lake or catalog stay away.
    """
    settings = lakehouse.settings
    encoder = encoder_of(lakehouse, max_age_days)
    with (
        closing(FileSource(paths, settings.home, files.open_disk(), format=format)) as source,
        closing(CommitLedger(lakehouse.database_url)) as ledger,
        ProcessWorkers(encoder, settings.process.workers) as workers,
    ):
        committer = Committer(lakehouse.catalog)
        finished = {stream: committer.finished(stream) for stream in source.streams()}
        left = _Unfinished(source, frozenset(s for s in finished if finished[s] is None))
        count = _Count(progress, committer.start_positions(), left.accepted(), ledger)
        _until_whole(
            lambda: Loop(
                left, committer, workers, pace_of(settings), time.monotonic, count.committed
            ),
            stop,
        )
        for stream, records in left.accepted().items():
            if count.held[stream] == records:
                committer.finish_source(stream, records)
        return [_told(source, stream, finished[stream], count) for stream in source.streams()]


def _until_whole(new_loop: Callable[[], Loop], stop: Stop) -> None:
    """Runs loops until one has committed everything, or until `stop`; waits out passing trouble."""
    for attempt in range(1, TRIES + 1):
        try:
            loop = new_loop()
            loop.drain()
            while not loop.idle and not stop:
                if not loop.turn():
                    stop.wait(TURN_S)
            return
        except TransientError:
            if attempt == TRIES or stop.wait(2.0**attempt / 4):
                raise


class _Count:
    """Records of each stream that the lake holds, and what became of those of this call."""

    def __init__(
        self,
        progress: Callable[[int, int], None],
        positions: Mapping[str, tuple[int, int]],
        accepted: Mapping[str, int],
        ledger: CommitLedger,
    ) -> None:
        self.held = {stream: positions.get(stream, (0, 0))[0] for stream in accepted}
        self.events: Counter[str] = Counter()
        self.rejected: Counter[str] = Counter()
        self._all = sum(accepted.values())
        self._progress = progress
        self._ledger = ledger

    def committed(self, committed: Committed, group: list[StoredRange]) -> None:
        for one in group:
            self.held[one.stream] = one.last
            self.events[one.stream] += one.events
            self.rejected[one.stream] += sum(one.rejected.values())
        self._ledger.insert(row_of(committed, group, time.time()))
        self._progress(sum(self.held.values()), self._all)


def _told(source: FileSource, stream: str, finished: int | None, count: _Count) -> Ingested:
    records = source.accepted()[stream]
    return Ingested(
        name=source.name(stream),
        records=records,
        events=count.events[stream],
        rejected=count.rejected[stream],
        already=finished is not None,
        whole=finished is not None or count.held[stream] == records,
    )
