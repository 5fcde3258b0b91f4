"""`tidelake monitor` shows a pipeline at work, and reads no rows for it."""

from __future__ import annotations

import json
from typing import Any

from tidelake.observe import heartbeat
from tidelake.observe.rates import Monitor
from tidelake.pipeline.monitor import Sampler

SAID = {
    "latency_s": [0.4, 1.2],
    "memory_bytes": 210_000_000,
    "memory_peak_bytes": 300_000_000,
    "memory_idle_bytes": 100_000_000,
    "most_in_flight": 50_000,
}


def test_rates_lag_and_ratio_follow_the_lake(lake: Any) -> None:
    sampler, monitor = Sampler(lake.lakehouse), Monitor()
    monitor.tick(sampler.sample(100.0))
    lake.accept([b"{}"] * 40)
    waiting = monitor.tick(sampler.sample(101.0))
    still = monitor.tick(sampler.sample(103.0))
    lake.ingest()
    done = monitor.tick(sampler.sample(104.0))

    assert (waiting.in_per_s, waiting.out_per_s, waiting.waiting) == (40.0, 0.0, 40)
    assert (waiting.lag_s, still.lag_s) == (0.0, 2.0)
    assert (done.out_per_s, done.waiting, done.lag_s) == (10.0, 0, 0.0)
    assert done.commits_per_s == 0.25
    assert done.rejected_by_reason["missing_field"] == 41
    assert done.rejected_share == 44 / 344
    assert done.compression_ratio is not None


def test_the_ingest_says_latency_and_memory(lake: Any) -> None:
    heartbeat.beat(lake.settings.home, "ingest", 100.0, SAID)
    tick = Monitor().tick(Sampler(lake.lakehouse).sample(101.0))

    assert (tick.latency_p50_s, tick.latency_p99_s) == (0.4, 1.2)
    assert (tick.memory_mb, tick.memory_peak_mb) == (210.0, 300.0)
    assert tick.memory_mb_per_100_events == 0.4
    assert tick.parts == {"ingest": "runs"}


def test_a_part_that_does_not_beat_is_silent(lake: Any) -> None:
    heartbeat.beat(lake.settings.home, "ingest", 100.0, SAID)

    assert Monitor().tick(Sampler(lake.lakehouse).sample(160.0)).parts == {
        "ingest": "silent for 60 s"
    }


def test_one_look_as_a_line_and_as_json(lake: Any, run: Any) -> None:
    said = json.loads(run("monitor", "--once", "--json", "--every", "0.1").stdout)
    line = run("monitor", "--once", "--every", "0.1").stdout

    assert said["committed"] == 304
    assert line.count("\n") == 1
    assert "rejected 1.32%" in line
    assert "no part runs" in line
