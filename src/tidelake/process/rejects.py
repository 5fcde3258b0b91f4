"""Rows of rejected_events: refused records, and records that were lost before they were read."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from tidelake.batch import Gap, RawBatch
from tidelake.event.verdicts import Reason
from tidelake.process.judge import Rejected
from tidelake.process.statement import Received


def rejected_row(received: Received, verdict: Rejected) -> dict[str, Any]:
    """The row of a refused record, with its bytes as received."""
    return {
        "reason": verdict.reason.value,
        "field": verdict.field,
        "detail": verdict.detail,
        "body": received.body,
        "envelope": received.envelope.text,
        "source": received.source,
        "source_position": received.source_position,
        "format": received.format,
        "project": received.envelope.project,
        "received_at": received.received_at,
        "records": 1,
    }


def gap_rows(batch: RawBatch) -> list[tuple[int, dict[str, Any]]]:
    """Number and row of each gap.

    What was lost has no time and no format of its own: those of the nearest record that can be
    read stand in, and where the batch has none, 1970-01-01 and native.
    """
    numbers = batch.numbers.to_pylist()
    times = batch.records["received_at"].cast(pa.int64()).to_pylist()
    formats = batch.records["format"].to_pylist()
    rows = []
    for gap in batch.gaps:
        near = _nearest(numbers, gap)
        row = {
            "reason": Reason.DAMAGED_FRAME.value,
            "detail": gap.detail,
            "body": b"",
            "source": batch.stream.partition("/")[0],
            "source_position": f"{batch.stream}/{gap.first}",
            "format": "native" if near is None else formats[near],
            "received_at": 0 if near is None else times[near],
            "records": gap.records,
        }
        rows.append((gap.first, row))
    return rows


def _nearest(numbers: Sequence[int], gap: Gap) -> int | None:
    after = bisect(numbers, gap.first)
    if after == len(numbers):
        return after - 1 if numbers else None
    closer = after == 0 or numbers[after] - gap.last < gap.first - numbers[after - 1]
    return after if closer else after - 1
