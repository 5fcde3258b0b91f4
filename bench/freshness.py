"""How soon an event is seen, and what that takes of the machine, while everything runs.

`tidelake up` as a user runs it (collector, ingest, care, loader, silver, gold, dashboard and the
mock traffic itself) on a fresh home at each rate; then once more without traffic.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

from bench import processes
from bench.home import fresh_home
from bench.measure import Figure
from bench.running import drain, parts_of, running, still
from tidelake.observe import heartbeat
from tidelake.pipeline.books import look
from tidelake.pipeline.gold_latency import gold_latency
from tidelake.pipeline.lakehouse import opened
from tidelake.settings import Settings
from tidelake.warehouse.session import connect

RATES = (500.0, 2_000.0)
SETTLE_S = 30.0  # after the start, and after the last event that counts, for it to reach gold
IDLE_S = 120.0
LOOK_EVERY_S = 30.0

TAKEN = """
select count(*) from raw.events where received_at between to_timestamp(%s) and to_timestamp(%s)
"""


def measure(minutes: float, say: Callable[[str], None]) -> dict[str, Figure]:
    """Latencies and costs at every rate, `minutes` each, and the cost of doing nothing."""
    found: dict[str, float] = {}
    for rate in RATES:
        found |= _at(rate, minutes * 60, say)
    found |= _idle(say)
    return {name: Figure.of([figure]) for name, figure in found.items()}


def _at(rate: float, seconds: float, say: Callable[[str], None]) -> dict[str, float]:
    with fresh_home() as home, running(home, rate) as pipeline:
        time.sleep(SETTLE_S)
        began, before = time.time(), _cpu_s(pipeline.pid)
        while time.time() < began + seconds:
            time.sleep(LOOK_EVERY_S)
            still(pipeline)
            say(f"  {rate:,.0f}/s, minute {(time.time() - began) / 60:.1f}")
        ended, after = time.time(), _cpu_s(pipeline.pid)
        beat = heartbeat.read(home)["ingest"].values
        time.sleep(SETTLE_S)
        with (
            opened(Settings(home=home)) as lakehouse,
            connect(lakehouse.database_url) as connection,
        ):
            wrong = look(lakehouse).books.wrong()
            in_gold = gold_latency(connection, began, ended)
            taken = connection.execute(TAKEN, (began, ended)).fetchall()[0][0]
        drain(pipeline)
    figures: dict[str, float] = {
        "minutes": (ended - began) / 60,
        "events_a_second": taken / (ended - began),
        "wrong_books": len(wrong),
        "cores": sum(_spent(before, after).values()) / (ended - began),
    }
    for layer, latency in (("lake", _named(beat.get("latency_s"))), ("gold", in_gold)):
        figures |= {f"{layer}_{share}_s": seconds for share, seconds in latency.items()}
    for part, spent in _spent(before, after).items():
        figures[f"cores.{part}"] = spent / (ended - began)
    say("  " + "  ".join(f"{name} {figure:,.3g}" for name, figure in figures.items()))
    return {f"freshness.{rate:.0f}.{name}": figure for name, figure in figures.items()}


def _idle(say: Callable[[str], None]) -> dict[str, float]:
    """Cores that everything takes while nothing comes, a while after the start."""
    with fresh_home() as home, running(home, 0) as pipeline:
        time.sleep(SETTLE_S)
        began, before = time.monotonic(), _cpu_s(pipeline.pid)
        time.sleep(IDLE_S)
        still(pipeline)
        spent, seconds = _spent(before, _cpu_s(pipeline.pid)), time.monotonic() - began
    found = {f"freshness.idle_cores.{part}": used / seconds for part, used in spent.items()}
    found["freshness.idle_cores"] = sum(spent.values()) / seconds
    say("  idle: " + "  ".join(f"{name} {figure:.4f}" for name, figure in found.items()))
    return found


def _cpu_s(pid: int) -> dict[str, float]:
    """CPU-seconds of each part, and of the supervisor itself, since their start."""
    parts = {name: processes.cpu_s(part) for name, part in parts_of(pid).items()}
    return parts | {"supervisor": processes.alone_cpu_s(pid)}


def _spent(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    return {part: after[part] - before.get(part, 0) for part in sorted(after)}


def _named(latency: Sequence[float] | None) -> dict[str, float]:
    return dict(zip(("p50", "p99"), latency or (), strict=False))
