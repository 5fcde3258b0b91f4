"""The lake's rows into PostgreSQL: at an empty table, and at one of millions of rows.

The lake holds a million events; they are loaded again and again under other names, as if more and
more files had come. CPU-seconds are those of the loader and of all of PostgreSQL together, with
what it writes and vacuums on the way. Beside it files of a few rows, as a backfill of years brings
them, and what the loader takes of a core while nothing comes.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa

from bench.corpus import DECADES, Corpus
from bench.home import Database, database
from bench.measure import Cost, Figure, figures, whole
from tidelake.event.contract import EVENTS
from tidelake.lake.entries import LiveFile
from tidelake.lake.follow import FileReader, Follower
from tidelake.lake.parquet import encode
from tidelake.pipeline.lakehouse import Lakehouse, attach
from tidelake.pipeline.load import loaders_of
from tidelake.pipeline.loader import FILES_A_SYNC, Progress
from tidelake.warehouse.raw import ledger
from tidelake.warehouse.raw.load import Loading
from tidelake.warehouse.session import Connection, open_connection

ROWS, QUICK_ROWS = 20_000_000, 1_000_000
SMALL_FILES, SMALL_ROWS = 1_000, 10
IDLE_S = 20.0
COPY = "#copy-"  # behind the location of a file that is loaded once more


@dataclass(frozen=True, slots=True)
class Again:
    """Reads the file that a copy is of."""

    reader: FileReader

    def batches(
        self, location: str, columns: tuple[str, ...] | None = None
    ) -> Iterator[pa.RecordBatch]:
        return self.reader.batches(location.partition(COPY)[0], columns)


@dataclass
class Bench:
    """A lake, and a loader on it whose cost is measured with that of its server."""

    server: Database
    lakehouse: Lakehouse
    connection: Connection
    files: Sequence[LiveFile]
    reader: FileReader
    copies: int = 0

    def load(self) -> Cost:
        """Every file once more under a new name."""
        self.copies += 1
        return self._load([self._copy(file, self.copies) for file in self.files])

    def load_small(self, folder: Path) -> Cost:
        """Many files of some rows each."""
        rows = next(self.reader.batches(self.files[0].location)).slice(0, SMALL_ROWS)
        (small, *_) = encode(pa.Table.from_batches([rows]), self.reader.contract)
        path = folder / "small.parquet"
        path.write_bytes(small.data)
        file = replace(self.files[0], location=path.as_uri())
        return self._load([self._copy(file, number) for number in range(SMALL_FILES)])

    def _copy(self, file: LiveFile, number: int) -> LiveFile:
        return replace(file, location=f"{file.location}{COPY}{number}")

    def _load(self, files: Sequence[LiveFile]) -> Cost:
        epoch = ledger.totals(self.connection)[EVENTS.table].epoch
        day = datetime.now(UTC).date()
        loading = Loading(self.connection, Again(self.reader), EVENTS.table, epoch, day)
        with self._measured() as done:
            for number, file in enumerate(files, 1):
                last = number == len(files)
                loaded = loading.load(file, durable=last or number % FILES_A_SYNC == 0)
                done.events += loaded.rows if loaded is not None else 0
        return done.cost()

    def idle(self) -> float:
        """CPU-seconds an hour of a loader that finds nothing, with its server."""
        interval_s = self.lakehouse.settings.load.interval_s
        loaders = loaders_of(self.lakehouse, self.connection, Progress())
        with self._measured() as done:
            until = time.monotonic() + IDLE_S
            while time.monotonic() < until:
                for loader in loaders:
                    loader._follower.moved()
                time.sleep(interval_s)
            done.events = 1
        return done.cost().cpu_s / IDLE_S * 3600

    @contextmanager
    def _measured(self) -> Iterator[_Work]:
        work = _Work(time.process_time() + self.server.cpu_s(), time.perf_counter())
        yield work
        work.cpu_s = time.process_time() + self.server.cpu_s() - work.cpu_s
        work.wall_s = time.perf_counter() - work.wall_s


@dataclass
class _Work:
    cpu_s: float
    wall_s: float
    events: int = 0

    def cost(self) -> Cost:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        return Cost(self.events, self.cpu_s, self.wall_s, peak)


def measure(corpus: Corpus, rows: int, say: Callable[[str], None]) -> dict[str, Figure]:
    """Costs at no row and at `rows` rows, of small files, and of an idle loader."""
    with _bench(corpus) as bench:
        costs: list[Cost] = []
        while bench.copies * corpus.events < rows or not costs:
            costs.append(bench.load())
            before = (bench.copies - 1) * corpus.events
            say(f"  at {before:,} rows: {costs[-1].cpu_s_per_million:.2f} CPU-s a million")
        with tempfile.TemporaryDirectory(prefix="tidelake-bench-") as folder:
            small = bench.load_small(Path(folder))
        idle = bench.idle()
    last = costs[-3:] if len(costs) > 3 else costs[-1:]
    found = figures("raw_load", costs[:1]) | figures("raw_load_full", last)
    ratio = min(c.cpu_s_per_million for c in last) / costs[0].cpu_s_per_million
    found["raw_load.rows_at_end"] = Figure.of([float(sum(cost.events for cost in costs))])
    found["raw_load.ratio"] = Figure.of([ratio])
    found["raw_load.small_file_cpu_ms"] = Figure.of([small.cpu_s / SMALL_FILES * 1000])
    found["raw_load.idle_cpu_s_an_hour"] = Figure.of([idle])
    return found


@contextmanager
def _bench(corpus: Corpus) -> Iterator[Bench]:
    with ExitStack() as stack:
        server = stack.enter_context(database())
        settings = stack.enter_context(server.home())
        command = [sys.executable, "-m", "tidelake", "--home", str(settings.home), "ingest"]
        environment = {
            "TIDELAKE_POSTGRES_URL": settings.postgres.url,
            "TIDELAKE_PROCESS_MAX_AGE_DAYS": str(DECADES),
        }
        whole([*command, str(corpus.path)], environment, corpus.events)
        lakehouse = attach(settings, settings.postgres.url, role="ingest")
        stack.enter_context(closing(lakehouse.catalog))
        connection = stack.enter_context(closing(open_connection(lakehouse.database_url)))
        news = Follower(lakehouse.catalog, EVENTS.table).look(0)
        yield Bench(server, lakehouse, connection, news.live(), news.reader)
