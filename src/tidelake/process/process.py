"""A batch of raw records becomes rows of events and of rejected events."""

from __future__ import annotations

from bisect import bisect
from functools import partial
from typing import Any

import pyarrow as pa

from tidelake.batch import Gap, Processed, RawBatch
from tidelake.event.contract import REJECTED, Contract
from tidelake.event.verdicts import Reason
from tidelake.process.envelope import read_envelope
from tidelake.process.judge import Accepted, Rejected, judge
from tidelake.process.rules import Rules
from tidelake.process.statement import Context, Received
from tidelake.process.tables import table_of

Row = dict[str, Any]


def process(batch: RawBatch, contract: Contract, rules: Rules) -> Processed:
    """Every record of the batch as a row of exactly one of the two tables, in order of number.

    Pure: the same batch gives the same tables, on any machine and at any time. No record raises.
    """
    context = Context(contract, rules)
    events: list[Row] = []
    rejected: list[tuple[int, Row]] = _gaps(batch)
    for number, received in _records(batch):
        verdict = judge(received, context)
        if isinstance(verdict, Accepted):
            events.append(verdict.row)
        else:
            rejected.append((number, rejected_row(received, verdict)))
    rejected.sort(key=lambda numbered: numbered[0])
    return Processed(table_of(contract, events), table_of(REJECTED, [row for _, row in rejected]))


def _records(batch: RawBatch) -> list[tuple[int, Received]]:
    columns = batch.records
    rows = zip(
        batch.numbers.to_pylist(),
        columns["body"].to_pylist(),
        columns["envelope"].to_pylist(),
        columns["received_at"].cast(pa.int64()).to_pylist(),
        columns["source"].to_pylist(),
        columns["format"].to_pylist(),
        strict=True,
    )
    return [
        (
            number,
            Received(body, read_envelope(envelope), at, source, format, f"{batch.stream}/{number}"),
        )
        for number, body, envelope, at, source, format in rows
    ]


def rejected_row(received: Received, verdict: Rejected) -> Row:
    """The row of rejected_events for a refused record, with its bytes as received."""
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


def _gaps(batch: RawBatch) -> list[tuple[int, Row]]:
    """One row for each gap. What was lost has no time or format: the nearest record's stand in."""
    numbers = batch.numbers.to_pylist()
    times = batch.records["received_at"].cast(pa.int64()).to_pylist()
    formats = batch.records["format"].to_pylist()
    rows = []
    for gap in batch.gaps:
        row = {
            "reason": Reason.DAMAGED_FRAME.value,
            "detail": gap.detail,
            "body": b"",
            "source": batch.stream.partition("/")[0],
            "source_position": f"{batch.stream}/{gap.first}",
            "format": "native",
            "received_at": 0,
            "records": gap.records,
        }
        if numbers:
            after = bisect(numbers, gap.first)
            near = min(
                (max(after - 1, 0), min(after, len(numbers) - 1)),
                key=partial(_distance, numbers, gap),
            )
            row |= {"format": formats[near], "received_at": times[near]}
        rows.append((gap.first, row))
    return rows


def _distance(numbers: list[int], gap: Gap, at: int) -> int:
    return min(abs(numbers[at] - gap.first), abs(numbers[at] - gap.last))
