"""What a commit costs when the table has few files and when it has many: the slowest of fifty.

Hundred snapshots and 54 tags are present at both, as care keeps them. Only metadata is written for
the files that fill the table: a commit never reads a data file.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from uuid import uuid4

import pyarrow as pa
from pyiceberg.table.update import AssertTableUUID, SetSnapshotRefUpdate

from tidelake.batch import Encoded
from tidelake.event.contract import EVENTS
from tidelake.lake.care.expire import Expire
from tidelake.lake.catalog import open_catalog
from tidelake.lake.commit import Committer
from tidelake.lake.parquet import encode
from tidelake.lake.swap import Swapper
from tidelake.lake.tables import create_tables, load_table
from tidelake.lake.writer import StoredFile, StoredRange, Writer
from tidelake.settings import Care

STREAM = "inbox/bench/0"
SNAPSHOTS, TAGS, SAMPLE = 100, 54, 50


@dataclass(frozen=True, slots=True)
class CommitCost:
    """CPU milliseconds of single commits of one file each."""

    files: int  # in the table when the first was made
    slowest_ms: float
    median_ms: float


def commit_costs(
    folder: Path, rows: pa.Table, levels: tuple[int, ...] = (50, 5000), url: str = ""
) -> list[CommitCost]:
    """The cost of a commit at each level of files, in one table that grows from level to level.

    `rows` are some hundred events of one day, as `process` gives them: their statistics fill the
    manifests. The catalog is SQLite in `folder` unless `url` names a database.
    """
    catalog = open_catalog("sql", folder.as_uri(), url or f"sqlite:///{folder}/catalog.db")
    try:
        create_tables(catalog)
        bench = _Bench(Committer(catalog), Swapper(catalog, EVENTS.table), rows)
        bench.tag()
        return [bench.measure(level) for level in levels]
    finally:
        catalog.close()


class _Bench:
    def __init__(self, committer: Committer, swapper: Swapper, rows: pa.Table) -> None:
        self._committer = committer
        self._swapper = swapper
        events = load_table(swapper.catalog, EVENTS.table)
        encoded = Encoded(STREAM, 1, 1, encode(rows, EVENTS), rows.num_rows, {}, 0, 0)
        self._sample = Writer.for_tables(events).store(encoded).files[0]
        self._at = 0
        self._files = 0

    def tag(self) -> None:
        """Tags that stay, on snapshots of their own."""
        for _ in range(TAGS):
            self._commit(0)
        table = load_table(self._swapper.catalog, EVENTS.table)
        tags = tuple(
            SetSnapshotRefUpdate.model_validate(
                {"ref-name": f"bench-{n}", "snapshot-id": snapshot.snapshot_id, "type": "tag"}
            )
            for n, snapshot in enumerate(table.metadata.snapshots)
        )
        same = AssertTableUUID(uuid=table.metadata.table_uuid)
        table._do_commit(updates=tags, requirements=(same,))

    def measure(self, level: int) -> CommitCost:
        for files in _steps(level - self._files, SNAPSHOTS):
            self._commit(files)
        self._expire()
        costs = []
        for n in range(SAMPLE):
            before = time.process_time()
            self._commit(1)
            costs.append(1000 * (time.process_time() - before))
            if n % 10 == 9:
                self._expire()
        return CommitCost(level, max(costs), median(costs))

    def _commit(self, files: int) -> None:
        self._at += 1
        self._files += files
        named = tuple(self._named() for _ in range(files))
        rows = sum(file.rows for file in named)
        self._committer.commit([StoredRange(STREAM, self._at, self._at, named, rows, {}, 0, 0)])

    def _named(self) -> StoredFile:
        location = self._sample.location.rpartition("/")[0]
        return replace(self._sample, location=f"{location}/e-{uuid4()}.parquet")

    def _expire(self) -> None:
        """Down to the hundred last snapshots and the tagged ones."""
        care = Care(keep_snapshots=SNAPSHOTS, hourly_tags_h=0, daily_tags_days=0)
        self._swapper.swap(Expire(datetime.now(UTC) + timedelta(minutes=5), care, None))


def _steps(files: int, commits: int) -> Iterator[int]:
    """`files` spread evenly over so many commits; some of them may be empty."""
    for n in range(commits):
        yield files * (n + 1) // commits - files * n // commits
