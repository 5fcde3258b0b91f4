"""A cycle of silver and gold with 5,000 new events, behind one and behind ten million of history.

The history lies in the same thirty days however long it is, so that what grows is the past that a
cycle must not read. The news fall on today, but one in a hundred anywhere in those days.
CPU-seconds are those of dbt and DuckDB, which work in this process, and of all of PostgreSQL. What
gold read of PostgreSQL is told by PostgreSQL's own statistics, in rows.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.home import Database, database
from bench.measure import Figure, whole
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
select schemaname, sum(coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0))::bigint
from pg_stat_user_tables where schemaname in ('raw', 'silver', 'silver_pii', 'tidelake') group by 1
"""


@dataclass
class Costs:
    """CPU-seconds of each cycle at one length of history, and rows that gold read, by schema."""

    silver: list[float] = field(default_factory=list)
    gold: list[float] = field(default_factory=list)
    read: list[dict[str, int]] = field(default_factory=list)

    def whole(self) -> list[float]:
        return [sum(both) for both in zip(self.silver, self.gold, strict=True)]


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

    def news(self, rounds: int) -> Costs:
        """The cost of that many cycles, each with news of its own; the first of all is not kept."""
        found = Costs()
        for number in range(rounds + 1):
            self._take([self._spec(timedelta(hours=1), NEWS - LATE), self._spec(DAYS, LATE)])
            with self._cpu() as silver:
                self.work.cycle(gold=False)
            before = self._read()
            with self._cpu() as gold:
                self.work.cycle(silver=False)
            after = self._read()
            self.say(f"  a cycle: silver {silver():.2f}, gold {gold():.2f} CPU-s")
            if number:
                found.silver.append(silver())
                found.gold.append(gold())
                found.read.append({name: after[name] - before[name] for name in after})
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

    def _read(self) -> dict[str, int]:
        time.sleep(STATISTICS_WITHIN_S)
        with connect(self.settings.postgres.url) as connection:
            return {str(name): int(rows) for name, rows in connection.execute(READ).fetchall()}

    @contextmanager
    def _cpu(self) -> Iterator[Callable[[], float]]:
        """CPU-seconds of this process and of PostgreSQL within the block, once it has ended."""
        began = time.process_time() + self.server.cpu_s()
        spent = [0.0]
        yield lambda: spent[0]
        spent[0] = time.process_time() + self.server.cpu_s() - began


def measure(histories: Sequence[int], rounds: int, say: Callable[[str], None]) -> dict[str, Figure]:
    """Cycles at each length of history, the shortest first, and their ratio."""
    found: dict[str, Figure] = {}
    costs = []
    with _bench(say) as bench:
        for name, events in zip(("short", "long"), histories, strict=True):
            found[f"refresh.history_cpu_s_per_million.{name}"] = Figure.of([bench.grow(events)])
            costs.append(bench.news(rounds))
            found |= _figures(costs[-1], name)
        found["refresh.idle_cpu_ms"] = Figure.of([bench.idle() * 1000])
    short, long = (Figure.of(cost.whole()).median for cost in costs)
    found["refresh.ratio"] = Figure.of([long / short])
    return found


def _figures(costs: Costs, name: str) -> dict[str, Figure]:
    read = [sum(rows.values()) for rows in costs.read]
    return {
        f"refresh.cycle_cpu_s.{name}": Figure.of(costs.whole()),
        f"refresh.silver_cpu_s.{name}": Figure.of(costs.silver),
        f"refresh.gold_cpu_s.{name}": Figure.of(costs.gold),
        f"refresh.gold_rows_read.{name}": Figure.of([float(rows) for rows in read]),
    }


def _ingest(settings: Settings, file: Path, events: int) -> None:
    command = [sys.executable, "-m", "tidelake", "--home", str(settings.home), "ingest", str(file)]
    whole(command, {"TIDELAKE_POSTGRES_URL": settings.postgres.url}, events)


@contextmanager
def _bench(say: Callable[[str], None]) -> Iterator[Bench]:
    with ExitStack() as stack:
        server = stack.enter_context(database())
        plain = stack.enter_context(server.home())
        settings = plain.model_copy(update={"transform": Transform(window_rows=WINDOW_ROWS)})
        lakehouse = attach(settings, settings.postgres.url, role="ingest")
        stack.enter_context(closing(lakehouse.catalog))
        warehouse = stack.enter_context(opened_warehouse(settings, "transform"))
        work = stack.enter_context(transformer(warehouse, Stop()))
        yield Bench(server, settings, lakehouse, work, say)
