"""`tidelake monitor` shows a pipeline at work, and reads no rows for it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from tidelake.observe import alerts, heartbeat
from tidelake.observe.rates import Monitor
from tidelake.pipeline.monitor import Sampler

SAID = {
    "latency_s": [0.4, 1.2],
    "memory_bytes": 210_000_000,
    "memory_peak_bytes": 300_000_000,
    "memory_idle_bytes": 100_000_000,
    "most_in_flight": 50_000,
}


@pytest.fixture
def sampler(lake: Any) -> Iterator[Sampler]:
    with closing(Sampler(lake.lakehouse)) as made:
        yield made


def test_rates_lag_and_ratio_follow_the_lake(lake: Any, sampler: Sampler) -> None:
    monitor = Monitor()
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


def test_the_ingest_says_latency_and_memory(lake: Any, sampler: Sampler) -> None:
    heartbeat.beat(lake.settings.home, "ingest", 100.0, SAID)
    tick = Monitor().tick(sampler.sample(101.0))

    assert (tick.latency_p50_s, tick.latency_p99_s) == (0.4, 1.2)
    assert (tick.memory_mb, tick.memory_peak_mb) == (210.0, 300.0)
    assert tick.memory_mb_per_100_events == 0.4
    assert tick.parts == {"ingest": "runs"}


def test_a_part_that_does_not_beat_is_silent(lake: Any, sampler: Sampler) -> None:
    heartbeat.beat(lake.settings.home, "ingest", 100.0, SAID)

    assert Monitor().tick(sampler.sample(160.0)).parts == {"ingest": "silent for 60 s"}


def test_one_look_as_a_line_and_as_json(lake: Any, run: Any) -> None:
    said = json.loads(run("monitor", "--once", "--json", "--every", "0.1").stdout)
    line = run("monitor", "--once", "--every", "0.1").stdout

    assert said["committed"] == 304
    assert line.count("\n") == 1
    assert "rejected 1.32%" in line
    assert "no part runs" in line
    assert "behind: raw 0.0 s silver 0.0 s gold 0.0 s alerts: none" in line


def test_the_lag_of_each_layer_the_gold_and_the_alerts_are_shown(
    layered: Any, run_layered: Any
) -> None:
    alert = alerts.Alert("gold-late", "warning", "late", "gold_lag_s", 9.0, 5.0, since=1, began=2)
    alerts.write(layered.settings.home, alerts.AlertState(at=3.0, active=(alert,)))
    try:
        said = json.loads(run_layered("monitor", "--once", "--json", "--every", "0.1").stdout)
        line = run_layered("monitor", "--once", "--every", "0.1").stdout
    finally:
        heartbeat.forget(layered.settings.home, alerts.PART)

    assert [lag["layer"] for lag in said["lags"]] == ["raw", "silver", "gold"]
    assert said["gold"]["version"] >= 1
    assert [alert["rule"] for alert in said["alerts"]] == ["gold-late"]
    assert "alerts: gold-late" in line
    assert "gold v" in line
    assert said["parts"] == {}
