"""What a monitor shows: samples of counters become rates, lags and ratios."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tidelake.observe.alerts import PART as ALERTS
from tidelake.observe.alerts import Alert
from tidelake.observe.heartbeat import Heartbeat
from tidelake.observe.layer_lag import Gold, Lag
from tidelake.observe.waiting import Waiting

WINDOW_S = 10.0  # over which rates are averaged: some commits, also when they come every 5 s
MB = 1_000_000


@dataclass(frozen=True, slots=True)
class Sample:
    """Counters at one moment (epoch seconds), each since the lake was made."""

    at: float
    accepted: int  # records that the inbox made durable
    taken: int  # of them, those that the lake holds
    committed: int  # records that the lake holds, from all sources
    commits: int  # sequence number of events: one a commit
    raw_bytes: int  # received behind the rows, decompressed
    live_bytes: int  # Parquet of both tables
    files: int
    snapshots: int
    rejected: Mapping[str, int]  # by reason
    beats: Mapping[str, Heartbeat]
    lags: Sequence[Lag] = ()  # of raw, silver and gold
    gold: Gold | None = None
    alerts: Sequence[Alert] = ()  # those that go on


@dataclass(frozen=True, slots=True)
class Tick:
    """One line of the monitor. None is what can not be known: no part runs, nothing came yet."""

    at: float
    in_per_s: float | None
    out_per_s: float | None
    commits_per_s: float | None
    waiting: int
    lag_s: float | None  # age of the oldest record that waits, as far as we saw it come
    latency_p50_s: float | None
    latency_p99_s: float | None
    memory_mb: float | None
    memory_peak_mb: float | None
    memory_mb_per_100_events: float | None  # peak above idle per 100 of most events in flight
    compression_ratio: float | None
    committed: int
    rejected: int
    rejected_share: float
    rejected_by_reason: Mapping[str, int]
    files: int
    snapshots: int
    parts: Mapping[str, str]
    lags: Sequence[Lag] = ()  # of raw, silver and gold
    gold: Gold | None = None
    alerts: Sequence[Alert] = ()  # those that go on


@dataclass(slots=True)
class Monitor:
    """Remembers the last seconds."""

    samples: deque[Sample] = field(default_factory=deque)
    _waiting: Waiting = field(default_factory=Waiting)

    def tick(self, sample: Sample) -> Tick:
        """The tick of a sample, later than the one before."""
        self.samples.append(sample)
        while len(self.samples) > 2 and sample.at - self.samples[0].at > WINDOW_S:
            self.samples.popleft()
        first = self.samples[0]
        seconds = sample.at - first.at
        said = sample.beats["ingest"].values if "ingest" in sample.beats else {}
        latency = list(said.get("latency_s") or ())
        rejected = sum(sample.rejected.values())
        return Tick(
            at=sample.at,
            in_per_s=_rate(sample.accepted - first.accepted, seconds),
            out_per_s=_rate(sample.committed - first.committed, seconds),
            commits_per_s=_rate(sample.commits - first.commits, seconds),
            waiting=max(sample.accepted - sample.taken, 0),
            lag_s=self._waiting.look(sample.at, sample.accepted, sample.taken),
            latency_p50_s=latency[0] if latency else None,
            latency_p99_s=latency[1] if len(latency) > 1 else None,
            memory_mb=_megabytes(said.get("memory_bytes")),
            memory_peak_mb=_megabytes(said.get("memory_peak_bytes")),
            memory_mb_per_100_events=_per_100_events(said),
            compression_ratio=sample.raw_bytes / sample.live_bytes if sample.live_bytes else None,
            committed=sample.committed,
            rejected=rejected,
            rejected_share=rejected / sample.committed if sample.committed else 0.0,
            rejected_by_reason=dict(sample.rejected),
            files=sample.files,
            snapshots=sample.snapshots,
            parts={
                name: _health(beat, sample.at)
                for name, beat in sample.beats.items()
                if name != ALERTS
            },
            lags=sample.lags,
            gold=sample.gold,
            alerts=sample.alerts,
        )


def _rate(more: int, seconds: float) -> float | None:
    return max(more, 0) / seconds if seconds > 0 else None


def _megabytes(count: float | None) -> float | None:
    return None if count is None else count / MB


def _per_100_events(said: Mapping[str, Any]) -> float | None:
    """Megabytes that the ingest took above idle for each 100 events that it held at most."""
    held = said.get("most_in_flight")
    if not held:
        return None
    above = max(said.get("memory_peak_bytes", 0) - said.get("memory_idle_bytes", 0), 0)
    return float(above / MB / held * 100)


def _health(beat: Heartbeat, now: float) -> str:
    if beat.stale(now):
        return f"silent for {now - beat.at:.0f} s"
    return beat.concern or "runs"
