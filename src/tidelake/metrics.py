"""Every metric name, once. The collector, the ingest and the monitor take them from here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Metric:
    """A Prometheus metric: its name, kind, meaning and labels."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    meaning: str
    labels: tuple[str, ...] = ()


COLLECT_REQUESTS = Metric(
    "tidelake_collect_requests_total", "counter", "Requests answered", ("route", "status")
)
COLLECT_RECORDS = Metric(
    "tidelake_collect_records_total", "counter", "Records made durable", ("format", "project")
)
COLLECT_BYTES = Metric(
    "tidelake_collect_bytes_total", "counter", "Bytes of records, decompressed", ("format",)
)
COLLECT_REFUSED = Metric(
    "tidelake_collect_refused_total", "counter", "Requests refused", ("reason",)
)
COLLECT_SECONDS = Metric(
    "tidelake_collect_request_seconds", "histogram", "Time from request to answer"
)
INBOX_BACKLOG_BYTES = Metric(
    "tidelake_inbox_backlog_bytes", "gauge", "Bytes in the inbox that the lake does not hold yet"
)
INBOX_FRAMES = Metric("tidelake_inbox_frames_total", "counter", "Frames synced to disk")
