"""Counts of one server process: plain numbers on the hot path, Prometheus text when asked."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import msgspec
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)
from prometheus_client.core import Metric as MetricFamily
from prometheus_client.registry import Collector as Exposed

from tidelake import metrics
from tidelake.metrics import Metric

BOUNDS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

Labelled = Counter[tuple[str, ...]]


def _buckets() -> list[int]:
    return [0] * (len(BOUNDS_S) + 1)


@dataclass(slots=True)
class Counts:
    """What has been counted; those of several processes add up."""

    requests: Labelled = field(default_factory=Counter)  # route, status
    records: Labelled = field(default_factory=Counter)  # format, project
    bytes: Labelled = field(default_factory=Counter)  # format
    refused: Labelled = field(default_factory=Counter)  # reason
    buckets: list[int] = field(default_factory=_buckets)
    seconds: float = 0.0
    frames: int = 0  # syncs of the inbox

    def took(self, seconds: float) -> None:
        self.buckets[bisect_left(BOUNDS_S, seconds)] += 1
        self.seconds += seconds

    def add(self, other: Counts) -> None:
        for mine, theirs in zip(self.labelled(), other.labelled(), strict=True):
            mine.update(theirs)
        self.buckets = [a + b for a, b in zip(self.buckets, other.buckets, strict=True)]
        self.seconds += other.seconds
        self.frames += other.frames

    def labelled(self) -> tuple[Labelled, Labelled, Labelled, Labelled]:
        return self.requests, self.records, self.bytes, self.refused


COUNTERS = (
    metrics.COLLECT_REQUESTS,
    metrics.COLLECT_RECORDS,
    metrics.COLLECT_BYTES,
    metrics.COLLECT_REFUSED,
)


class _Families(Exposed):
    def __init__(self, counts: Counts, backlog_bytes: int) -> None:
        self._counts = counts
        self._backlog_bytes = backlog_bytes

    def collect(self) -> Iterator[MetricFamily]:
        for metric, values in zip(COUNTERS, self._counts.labelled(), strict=True):
            yield _counter(metric, values)
        yield _histogram(metrics.COLLECT_SECONDS, self._counts)
        yield _counter(metrics.INBOX_FRAMES, Counter({(): self._counts.frames}))
        backlog = metrics.INBOX_BACKLOG_BYTES
        yield GaugeMetricFamily(backlog.name, backlog.meaning, self._backlog_bytes)


def exposition(counts: Iterable[Counts], backlog_bytes: int) -> bytes:
    """Prometheus text of the sum of all counts; the backlog is that of the whole inbox."""
    total = Counts()
    for each in counts:
        total.add(each)
    registry = CollectorRegistry()
    registry.register(_Families(total, backlog_bytes))
    return generate_latest(registry)


def packed(counts: Counts) -> bytes:
    """The counts as bytes that `unpacked` reads: what a process leaves for its siblings."""
    rows = [list(values.items()) for values in counts.labelled()]
    return msgspec.json.encode([rows, counts.buckets, counts.seconds, counts.frames])


def unpacked(data: bytes) -> Counts:
    rows, buckets, seconds, frames = msgspec.json.decode(
        data, type=tuple[list[list[tuple[tuple[str, ...], int]]], list[int], float, int]
    )
    requests, records, sizes, refused = (Counter(dict(values)) for values in rows)
    return Counts(requests, records, sizes, refused, buckets, seconds, frames)


def _counter(metric: Metric, values: Labelled) -> CounterMetricFamily:
    family = CounterMetricFamily(metric.name, metric.meaning, labels=metric.labels)
    for labels, value in sorted(values.items()):
        family.add_metric(labels, value)
    return family


def _histogram(metric: Metric, counts: Counts) -> HistogramMetricFamily:
    cumulated: list[tuple[str, float]] = []
    total = 0
    for bound, count in zip((*map(str, BOUNDS_S), "+Inf"), counts.buckets, strict=True):
        total += count
        cumulated.append((bound, total))
    family = HistogramMetricFamily(metric.name, metric.meaning)
    family.add_metric([], cumulated, counts.seconds)
    return family
