"""The whole path: bytes to a committed snapshot, from a file and from the inbox."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from bench import processes
from bench.corpus import DECADES, Corpus
from bench.home import Database, database
from bench.measure import Cost, Figure, figures, in_turns, whole
from tidelake import files
from tidelake.inbox import LaneWriter, Records
from tidelake.lake.care import care_once
from tidelake.lake.catalog import open_catalog
from tidelake.lake.entries import live_files
from tidelake.lake.positions import RAW_BYTES, counts
from tidelake.lake.tables import load_table
from tidelake.observe import heartbeat
from tidelake.settings import Settings

TABLES = ("events", "rejected_events")
A_REQUEST = 100  # events
INBOX_EVENTS = 200_000
WITHIN_S = 600.0


def measure(
    good: Corpus, bad: Corpus, rounds: int, say: Callable[[str], None]
) -> dict[str, Figure]:
    """`tidelake ingest FILE` in its variants, the ingest part over an inbox, and the sizes."""
    stored: list[dict[str, float]] = []
    idle: list[dict[str, float]] = []
    one = _first_line(good)
    with database() as server:
        variants = {
            "ingest_start": lambda: _file(server, one, 2, None),
            "ingest": lambda: _file(server, good, 2, stored),
            "ingest_one_worker": lambda: _file(server, good, 1, None),
            "ingest_bad": lambda: _file(server, bad, 2, None),
            "inbox": lambda: _inbox(server, good, idle),
        }
        costs = in_turns(variants, rounds, say)
    found: dict[str, Figure] = {}
    for name in ("ingest", "ingest_one_worker", "ingest_bad", "inbox"):
        found |= figures(name, costs[name])
    pairs = zip(costs["ingest"], costs["ingest_start"], strict=True)
    found |= figures("ingest_without_start", [cost.without(start) for cost, start in pairs])
    found["ingest_start.cpu_s"] = Figure.of([cost.cpu_s for cost in costs["ingest_start"]])
    for name in stored[0]:
        found[name] = Figure.of([one[name] for one in stored])
    for name in idle[0]:
        found[name] = Figure.of([one[name] for one in idle])
    return found


def _first_line(good: Corpus) -> Corpus:
    path = good.path.with_suffix(".one.ndjson")
    path.write_bytes(good.bodies(1)[0] + b"\n")
    return replace(good, path=path, events=1)


def _file(
    server: Database, given: Corpus, workers: int, stored: list[dict[str, float]] | None
) -> Cost:
    """`tidelake ingest FILE` into a fresh lake; its PostgreSQL runs already and is counted in."""
    with server.home() as settings:
        used = server.cpu_s()
        command = [sys.executable, "-m", "tidelake", "--home", str(settings.home), "ingest"]
        environment = _environment(settings, workers)
        cost = whole([*command, str(given.path)], environment, given.events)
        cost = replace(cost, cpu_s=cost.cpu_s + server.cpu_s() - used)
        if stored is not None:
            stored.append(_sizes(settings, given))
        return cost


def _environment(settings: Settings, workers: int) -> dict[str, str]:
    return {
        "TIDELAKE_POSTGRES_URL": settings.postgres.url,
        "TIDELAKE_PROCESS_WORKERS": str(workers),
        "TIDELAKE_PROCESS_MAX_AGE_DAYS": str(DECADES),
    }


def _sizes(settings: Settings, given: Corpus) -> dict[str, float]:
    """Bytes received for each byte stored, as committed and after care has sorted the days."""
    catalog = open_catalog("sql", settings.warehouse, settings.postgres.url)
    with closing(catalog):
        tables = [load_table(catalog, name) for name in TABLES]
        received = counts(tables[0].properties)[RAW_BYTES]
        rows = sum(file.rows for table in tables for file in live_files(table))
        if rows != given.events:
            raise RuntimeError(f"{given.events} events were ingested, the lake holds {rows}")
        fresh = sum(file.size for table in tables for file in live_files(table))
        care_once(catalog, settings.care, datetime.now(UTC), lambda _: None)
        tables = [load_table(catalog, name) for name in TABLES]
        sorted_ = sum(file.size for table in tables for file in live_files(table))
        return {
            "storage.ratio": received / fresh,
            "storage.ratio_sorted": received / sorted_,
            "ingest.commits": float(len(tables[0].metadata.snapshots)),
        }


@dataclass(frozen=True, slots=True)
class InboxRun:
    """What the ingest part did with events that lay in the inbox."""

    cost: Cost
    idle_pss: int  # bytes of all its processes before the first event
    above_idle: int  # bytes, at most
    most_in_flight: int  # events
    worker_cpu_s: Mapping[int, float]  # by process id, on the events alone

    @property
    def memory_mb_per_100_events(self) -> float:
        return self.above_idle / 1e6 / self.most_in_flight * 100


def _inbox(server: Database, given: Corpus, found: list[dict[str, float]]) -> Cost:
    with server.home() as settings:
        done = from_inbox(settings, given.bodies(min(given.events, INBOX_EVENTS)), server.cpu_s)
    found.append(
        {
            "inbox.idle_memory_mb": done.idle_pss / 1e6,
            "inbox.memory_mb_per_100_events": done.memory_mb_per_100_events,
        }
    )
    return done.cost


def from_inbox(
    settings: Settings, bodies: list[bytes], database_cpu_s: Callable[[], float]
) -> InboxRun:
    """Runs `tidelake run ingest` over what a collector has stored, from ready to committed."""
    with _ingest(settings) as pid:
        idle, workers = processes.memory(pid), _workers(pid)
        used, database_used = processes.cpu_s(pid), database_cpu_s()
        began = time.perf_counter()
        _fill(settings.home, bodies)
        values = _until(settings.home, len(bodies))
        took = time.perf_counter() - began
        used = processes.cpu_s(pid) - used + database_cpu_s() - database_used
        after = _workers(pid)
        return InboxRun(
            Cost(len(bodies), used, took, int(values["memory_peak_bytes"])),
            idle.pss,
            values["memory_peak_bytes"] - values["memory_idle_bytes"],
            values["most_in_flight"],
            {worker: after[worker] - workers[worker] for worker in workers},
        )


def _workers(pid: int) -> dict[int, float]:
    """CPU-seconds by the process ids of the processes that the ingest part encodes in."""
    children = psutil.Process(pid).children()
    found = {child.pid: processes.cpu_s(child.pid) for child in children}
    return {c.pid: found[c.pid] for c in children if "spawn_main" in " ".join(c.cmdline())}


@contextmanager
def _ingest(settings: Settings) -> Iterator[int]:
    """The process id of a running ingest part that is ready."""
    command = [sys.executable, "-m", "tidelake", "--home", str(settings.home), "run", "ingest"]
    part = subprocess.Popen(command, env={**os.environ, **_environment(settings, 2)})
    try:
        _wait(lambda: "ingest" in heartbeat.read(settings.home))
        yield part.pid
    finally:
        part.send_signal(signal.SIGTERM)
        part.wait(WITHIN_S)


def _fill(home: Path, bodies: list[bytes]) -> None:
    """Stores the events as a collector does, a request a hundred of them."""
    lane = LaneWriter.claim(home, files.open_disk())
    for at in range(0, len(bodies), A_REQUEST):
        some = bodies[at : at + A_REQUEST]
        lane.append_and_wait(Records(some, b'{"path":"/v1/events"}', time.time_ns() // 1000))
    lane.close()


def _until(home: Path, count: int) -> Mapping[str, Any]:
    """What the ingest says of itself once it has committed so many."""

    def values() -> Mapping[str, Any]:
        return heartbeat.read(home)["ingest"].values

    _wait(lambda: values()["events"] + values()["rejected"] >= count)
    return values()


def _wait(until: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WITHIN_S
    while not until():
        if time.monotonic() > deadline:
            raise RuntimeError(f"nothing came of it within {WITHIN_S:.0f} s")
        time.sleep(0.1)
