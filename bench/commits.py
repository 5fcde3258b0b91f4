"""The slowest commit of a table with 5,000 files, and of one with 50, in turns.

Both have 100 snapshots and 54 tags on older ones: what metadata weighs is the same, so that only
the files differ. Each commit adds one file. CPU-seconds are those of the committer; PostgreSQL
takes one update a commit, whatever the size.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from statistics import median
from uuid import uuid4

from bench.corpus import Corpus
from bench.home import Database, database
from bench.measure import Figure
from bench.stages import batches
from tidelake.event.contract import EVENTS
from tidelake.lake.care.expire import Expire
from tidelake.lake.commit import Committer
from tidelake.lake.entries import live_files
from tidelake.lake.swap import Swapper
from tidelake.lake.tables import load_table
from tidelake.lake.travel import tag
from tidelake.lake.writer import StoredFile, StoredRange
from tidelake.pipeline.ingest import encoder_of
from tidelake.pipeline.lakehouse import Lakehouse, attach
from tidelake.settings import Care

FEW, MANY = 50, 5_000
QUICK_MANY = 500
SNAPSHOTS, TAGS, MEASURED = 100, 54, 50
STREAM = "inbox/bench/0"
OWN_TAGS = ("hourly", "daily")  # set by care, whenever it expires
AT_ONCE = 20  # files a commit while the table grows


@dataclass
class Growing:
    """A table that is made to hold files; none of them is on the disk, and no commit looks."""

    lakehouse: Lakehouse
    example: StoredFile
    taken: int = 0
    committer: Committer = field(init=False)

    def __post_init__(self) -> None:
        self.committer = Committer(self.lakehouse.catalog)
        self.committer.start_positions()

    def commit(self, files: int) -> float:
        """Commits so many files as one range; gives the CPU-seconds."""
        stored = tuple(self._file() for _ in range(files))
        first, self.taken = self.taken + 1, self.taken + max(files, 1)
        one = StoredRange(STREAM, first, self.taken, stored, max(files, 1), {}, 0, 1)
        began = time.process_time()
        self.committer.commit([one])
        return time.process_time() - began

    def _file(self) -> StoredFile:
        folder, _, name = self.example.location.rpartition("/")
        return replace(self.example, location=f"{folder}/{name[:1]}-{uuid4()}.parquet")

    def grow(self, files: int) -> None:
        """To so many files, the tags on early snapshots, the rest of those expired."""
        groups = max(files - SNAPSHOTS, 0) // AT_ONCE
        for number in range(groups):
            self.commit(AT_ONCE)
            if number % SNAPSHOTS == SNAPSHOTS - 1:
                self.trim()
        for _ in range(TAGS - groups):
            self.commit(0)
        self._tag()
        singles = files - groups * AT_ONCE
        for _ in range(SNAPSHOTS - singles):
            self.commit(0)
        for _ in range(singles):
            self.commit(1)
        self.trim()

    def _tag(self) -> None:
        table = load_table(self.lakehouse.catalog, EVENTS.table)
        left = TAGS - len(OWN_TAGS)
        for number, snapshot in enumerate(table.metadata.snapshots[-left:]):
            tag(self.lakehouse.catalog, EVENTS.table, f"kept-{number}", snapshot.snapshot_id)

    def trim(self) -> None:
        """Leaves 100 snapshots and those with tags, as care does."""
        later = datetime.now(UTC) + timedelta(hours=1)
        care = Care(keep_snapshots=SNAPSHOTS, hourly_tags_h=10**6, daily_tags_days=10**4)
        Swapper(self.lakehouse.catalog, EVENTS.table).swap(Expire(later, care, None))

    @property
    def state(self) -> tuple[int, int, int]:
        """Files, snapshots and tags."""
        table = load_table(self.lakehouse.catalog, EVENTS.table)
        refs = len(table.metadata.refs) - 1
        return len(live_files(table)), len(table.metadata.snapshots), refs


def measure(
    corpus: Corpus, rounds: int, many: int, say: Callable[[str], None]
) -> dict[str, Figure]:
    """Slowest and median of 50 commits in milliseconds of CPU, at both sizes, and their ratio."""
    slowest: dict[str, list[float]] = {"few": [], "many": []}
    middle: dict[str, list[float]] = {"few": [], "many": []}
    with ExitStack() as stack:
        server = stack.enter_context(database())
        tables = {name: stack.enter_context(_table(server, corpus)) for name in slowest}
        for name, files in (("few", FEW), ("many", many)):
            tables[name].grow(files)
            say("  {}: {:,} files, {} snapshots, {} tags".format(name, *tables[name].state))
        for _ in range(rounds):
            costs = _in_turns(tables)
            for name, found in costs.items():
                slowest[name].append(max(found) * 1000)
                middle[name].append(median(found) * 1000)
                say(f"  {name:5} slowest {slowest[name][-1]:.0f} ms, median {middle[name][-1]:.0f}")
            for table in tables.values():
                table.trim()
    ratios = [more / less for more, less in zip(slowest["many"], slowest["few"], strict=True)]
    middles = [more / less for more, less in zip(middle["many"], middle["few"], strict=True)]
    return {
        "commits.slowest_cpu_ms.at_50": Figure.of(slowest["few"]),
        "commits.slowest_cpu_ms.at_5000": Figure.of(slowest["many"]),
        "commits.median_cpu_ms.at_50": Figure.of(middle["few"]),
        "commits.median_cpu_ms.at_5000": Figure.of(middle["many"]),
        "commits.slowest_ratio": Figure.of(ratios),
        "commits.median_ratio": Figure.of(middles),
    }


def _in_turns(tables: dict[str, Growing]) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {name: [] for name in tables}
    for _ in range(MEASURED):
        for name, table in tables.items():
            found[name].append(table.commit(1))
    return found


@contextmanager
def _table(server: Database, corpus: Corpus) -> Iterator[Growing]:
    """An empty table, and a stored file of events whose description every commit borrows."""
    with server.home() as settings:
        lakehouse = attach(settings, settings.postgres.url)
        with closing(lakehouse.catalog):
            encoder = encoder_of(lakehouse)
            encoded = encoder.encode(next(batches(corpus.path, 1)))
            example = encoder.writer.store_file(encoded.files[-1])
            yield Growing(lakehouse, example)
