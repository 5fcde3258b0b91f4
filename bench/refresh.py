"""A cycle of silver and gold with 5,000 new events, behind one and behind ten million of history.

The history lies in the same thirty days however long it is, so that what grows is the past that a
cycle must not read. The news fall on today, but one in a hundred anywhere in those days. Both
histories are made first, each with a server and a process of its own; then their cycles take turns.
CPU-seconds are those of dbt and DuckDB, which work in that process, and of all of its PostgreSQL.
What gold read of PostgreSQL is told by PostgreSQL's own statistics, in rows.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.home import Database, database
from bench.measure import Figure, calibrate, whole
from tidelake.generate import GeneratorSpec
from tidelake.pipeline.generate import run as generate
from tidelake.pipeline.lakehouse import Lakehouse, attach
from tidelake.pipeline.load import loaders_of
from tidelake.pipeline.loader import Progress
from tidelake.pipeline.stopping import Stop
from tidelake.pipeline.transformer import Transformer, transformer
from tidelake.pipeline.warehouse import opened_warehouse
from tidelake.settings import Settings, Transform
from tidelake.warehouse.session import connect, open_connection

HISTORIES, QUICK_HISTORIES = (1_000_000, 10_000_000), (50_000, 200_000)
PIECE = 1_000_000  # events of one ingested file
NEWS, LATE = 5_000, 50
DAYS = timedelta(days=30)
USERS = 200_000
WINDOW_ROWS = 500_000  # of the history; news are a window of their own
LOOKS = 200
STATISTICS_WITHIN_S = 2.0  # a backend tells what it read at most once a second

READ = """
select sum(coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0))::bigint
from pg_stat_user_tables where schemaname in ('raw', 'silver', 'silver_pii', 'tidelake')
"""


@dataclass(frozen=True, slots=True)
class Cycle:
    """CPU-seconds of one cycle, and the rows that gold read of PostgreSQL."""

    silver: float
    gold: float
    read: int

    @property
    def whole(self) -> float:
        return self.silver + self.gold


@dataclass
class Bench:
    """A lakehouse that grows, and who makes its silver and gold."""

    server: Database
    settings: Settings
    lakehouse: Lakehouse
    work: Transformer
    say: Callable[[str], None]
    events: int = 0
    seed: int = 1

    def grow(self, events: int) -> float:
        """To that many events of history; gives CPU-seconds a million of silver and gold."""
        added, spent = events - self.events, 0.0
        while self.events < events:
            count = min(PIECE, events - self.events)
            self._take([self._spec(DAYS, count)])
            with self._cpu() as cpu:
                while self.work.news():
                    self.work.cycle()
            spent += cpu()
            self.events += count
            self.say(f"  {self.events:,} events; {cpu() / count * 1e6:.1f} CPU-s a million")
        return spent / added * 1e6

    def news(self) -> Cycle:
        """The cost of a cycle with news of its own."""
        self._take([self._spec(timedelta(hours=1), NEWS - LATE), self._spec(DAYS, LATE)])
        with self._cpu() as silver:
            self.work.cycle(gold=False)
        before = self._read()
        with self._cpu() as gold:
            self.work.cycle(silver=False)
        found = Cycle(silver(), gold(), self._read() - before)
        self.say(f"  a cycle: silver {found.silver:.2f}, gold {found.gold:.2f} CPU-s")
        return found

    def idle(self) -> float:
        """CPU-seconds of one look that finds nothing."""
        with self._cpu() as cpu:
            for _ in range(LOOKS):
                self.work.news()
        return cpu() / LOOKS

    def _spec(self, before: timedelta, count: int) -> GeneratorSpec:
        self.seed += 1
        now = datetime.now(UTC)
        return GeneratorSpec(seed=self.seed, start=now - before, end=now, count=count, users=USERS)

    def _take(self, specs: Sequence[GeneratorSpec]) -> None:
        """Brings generated events through the lake into raw."""
        with TemporaryDirectory() as folder:
            for spec in specs:
                file = Path(folder) / f"{spec.seed}.ndjson"
                generate(spec, str(file))
                _ingest(self.settings, file, spec.count or 0)
                file.unlink()
        with closing(open_connection(self.lakehouse.database_url)) as connection:
            for loader in loaders_of(self.lakehouse, connection, Progress()):
                loader.turn(lambda: False)

    def _read(self) -> int:
        time.sleep(STATISTICS_WITHIN_S)
        with connect(self.settings.postgres.url) as connection:
            return int(connection.execute(READ).fetchall()[0][0])

    @contextmanager
    def _cpu(self) -> Iterator[Callable[[], float]]:
        """CPU-seconds of this process and of PostgreSQL within the block, once it has ended."""
        began = time.process_time() + self.server.cpu_s()
        spent = [0.0]
        yield lambda: spent[0]
        spent[0] = time.process_time() + self.server.cpu_s() - began


class Side:
    """A bench in a process of its own, so that two can stand ready and take turns."""

    def __init__(self, name: str, processes: ProcessPoolExecutor) -> None:
        self.name = name
        self._processes = processes

    def grow(self, events: int) -> Future[float]:
        return self._processes.submit(_grow, events)

    def news(self) -> Cycle:
        return self._processes.submit(_news).result()

    def idle(self) -> float:
        return self._processes.submit(_idle).result()


def measure(histories: Sequence[int], rounds: int, say: Callable[[str], None]) -> dict[str, Figure]:
    """Cycles at both lengths of history in turns, and their ratio."""
    found: dict[str, Figure] = {}
    cycles: dict[str, list[Cycle]] = {"short": [], "long": []}
    with _side("short") as short, _side("long") as long:
        sides = (short, long)
        growing = [side.grow(events) for side, events in zip(sides, histories, strict=True)]
        for side, grown in zip(sides, growing, strict=True):
            cost = Figure.of([grown.result()])
            found[f"refresh.history_cpu_s_per_million.{side.name}"] = cost
        for number in range(rounds + 1):
            say(f"  round {number}: a fixed piece of work takes {calibrate():.2f} CPU-s")
            for side in sides:
                cycles[side.name].append(side.news())
        found["refresh.idle_cpu_ms"] = Figure.of([long.idle() * 1000])
    for name, made in cycles.items():
        found |= _figures(made[1:], name)  # the first of a process parses and compiles
    pairs = zip(cycles["long"][1:], cycles["short"][1:], strict=True)
    found["refresh.ratio"] = Figure.of([long.whole / short.whole for long, short in pairs])
    return found


def _figures(cycles: Sequence[Cycle], name: str) -> dict[str, Figure]:
    return {
        f"refresh.cycle_cpu_s.{name}": Figure.of([cycle.whole for cycle in cycles]),
        f"refresh.silver_cpu_s.{name}": Figure.of([cycle.silver for cycle in cycles]),
        f"refresh.gold_cpu_s.{name}": Figure.of([cycle.gold for cycle in cycles]),
        f"refresh.gold_rows_read.{name}": Figure.of([float(cycle.read) for cycle in cycles]),
    }


def _ingest(settings: Settings, file: Path, events: int) -> None:
    command = [sys.executable, "-m", "tidelake", "--home", str(settings.home), "ingest", str(file)]
    whole(command, {"TIDELAKE_POSTGRES_URL": settings.postgres.url}, events)


@contextmanager
def _side(name: str) -> Iterator[Side]:
    # Spawned: a fork of a process that has threads may hang.
    context = get_context("spawn")
    with ProcessPoolExecutor(1, context, _begin, (name,)) as processes:
        try:
            yield Side(name, processes)
        finally:
            processes.submit(_end).result()


# In the process of a side: its bench, and what must be closed with it.
_open = ExitStack()
_benches: list[Bench] = []


def _begin(name: str) -> None:
    def say(line: str) -> None:
        print(f"  {name:5} {line.strip()}", file=sys.stderr, flush=True)

    _benches.append(_bench(_open, say))


def _end() -> None:
    _open.close()


def _grow(events: int) -> float:
    return _benches[0].grow(events)


def _news() -> Cycle:
    return _benches[0].news()


def _idle() -> float:
    return _benches[0].idle()


def _bench(stack: ExitStack, say: Callable[[str], None]) -> Bench:
    server = stack.enter_context(database())
    plain = stack.enter_context(server.home())
    settings = plain.model_copy(update={"transform": Transform(window_rows=WINDOW_ROWS)})
    lakehouse = attach(settings, settings.postgres.url, role="ingest")
    stack.enter_context(closing(lakehouse.catalog))
    warehouse = stack.enter_context(opened_warehouse(settings, "transform"))
    work = stack.enter_context(transformer(warehouse, Stop()))
    return Bench(server, settings, lakehouse, work, say)
