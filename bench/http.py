"""Durable over HTTP: a real collector, its inbox on the disk, CPU of its processes alone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from urllib.request import urlopen

from bench import processes
from bench.client import requests, send
from bench.corpus import Corpus
from bench.measure import Cost, Figure, in_turns, watched
from tidelake.files import open_disk
from tidelake.inbox import Inbox
from tidelake.pipeline.collect import collector_url

# Events a request, and how many in all: enough for some seconds of CPU at 10 ms a tick.
CELLS = {1: 20_000, 10: 60_000, 100: 200_000, 500: 200_000}
WARM_UP = 500
READY_S = 60.0


def measure(
    corpus: Corpus, rounds: int, say: Callable[[str], None], share: float = 1.0
) -> dict[str, Figure]:
    """Events for each CPU-second of the server, by events a request; 100 also compressed."""
    bodies = corpus.bodies(max(CELLS.values()))
    variants = {
        str(batch): partial(_cell, bodies[: round(events * share)], batch, compress=False)
        for batch, events in CELLS.items()
    }
    packed = bodies[: round(CELLS[100] * share)]
    variants["100_gzip"] = partial(_cell, packed, 100, compress=True)
    found: dict[str, Figure] = {}
    for name, costs in in_turns(variants, rounds, say).items():
        found[f"http.events_per_server_cpu_s.{name}"] = Figure.of(
            [cost.events / cost.cpu_s for cost in costs]
        )
        found[f"http.events_per_wall_s.{name}"] = Figure.of(
            [cost.events / cost.wall_s for cost in costs]
        )
        found[f"http.peak_rss_mb.{name}"] = Figure.of([cost.peak_rss / 1e6 for cost in costs])
    return found


def _cell(bodies: list[bytes], batch: int, *, compress: bool) -> Cost:
    """A fresh collector is sent the events; they must be in its inbox afterwards."""
    built = requests(bodies, batch, compress=compress)
    with (
        tempfile.TemporaryDirectory(prefix="tidelake-bench-") as folder,
        collector(Path(folder)) as (pid, url),
        watched(pid) as peak,
    ):
        warm = requests(bodies[:WARM_UP], 1)
        send(url, warm)
        used, began = processes.cpu_s(pid), time.perf_counter()
        send(url, built)
        took, used = time.perf_counter() - began, processes.cpu_s(pid) - used
        durable = sum(Inbox(Path(folder), open_disk()).marks().values())
        if durable != len(bodies) + len(warm):
            raise RuntimeError(f"{len(bodies) + len(warm)} events were sent, {durable} are durable")
        return Cost(len(bodies), used, took, peak())


@contextmanager
def collector(home: Path) -> Iterator[tuple[int, str]]:
    """Process id and URL of a collector that is ready."""
    command = [sys.executable, "-m", "tidelake", "--home", str(home), "run", "collect"]
    server = subprocess.Popen(
        command,
        env={**os.environ, "TIDELAKE_COLLECT_PORT": "0"},
        stdout=subprocess.DEVNULL,
    )
    try:
        yield server.pid, _ready(home)
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(READY_S)


def _ready(home: Path) -> str:
    deadline = time.monotonic() + READY_S
    while time.monotonic() < deadline:
        url = collector_url(home)
        with suppress(OSError):
            if url and urlopen(f"{url}/readyz", timeout=5).status == 200:
                return url
        time.sleep(0.05)
    raise RuntimeError(f"the collector was not ready within {READY_S:.0f} s")
