"""A batch of raw records becomes rows of events and of rejected events."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterator
from functools import partial
from operator import itemgetter
from typing import Any

import pyarrow as pa

from tidelake.batch import Gap, Processed, RawBatch
from tidelake.event.contract import REJECTED, Contract
from tidelake.event.verdicts import Reason
from tidelake.process.envelope import read_envelope
from tidelake.process.fast.accept import accept
from tidelake.process.judge import Accepted, Rejected, judge
from tidelake.process.rules import Rules
from tidelake.process.statement import Context, Received
from tidelake.process.tables import table_of

Row = dict[str, Any]


def process(batch: RawBatch, contract: Contract, rules: Rules) -> Processed:
    """Every record of the batch as a row of exactly one of the two tables, in order of number.

    Pure: the same batch gives the same tables, on any machine and at any time. No record raises.
    The fast decoder takes what it is sure of, `judge` settles the rest; no reader can tell which.
    """
    accepted, taken = accept(batch, contract, rules)
    left = sorted(set(range(batch.records.num_rows)).difference(taken))
    judged: list[tuple[int, Row]] = []
    rejected: list[tuple[int, Row]] = _gaps(batch)
    for row, (number, received) in zip(left, _records(batch, left), strict=True):
        verdict = judge(received, Context(contract, rules))
        if isinstance(verdict, Accepted):
            judged.append((row, verdict.row))
        else:
            rejected.append((number, rejected_row(received, verdict)))
    rejected.sort(key=itemgetter(0))
    return Processed(
        _in_order(accepted, taken, judged, contract),
        table_of(REJECTED, [row for _, row in rejected]),
    )


def _in_order(
    accepted: pa.Table, taken: list[int], judged: list[tuple[int, Row]], contract: Contract
) -> pa.Table:
    """The rows of both decoders in the order of the batch."""
    if not judged:
        return accepted
    rows = taken + [row for row, _ in judged]
    both = pa.concat_tables([accepted, table_of(contract, [row for _, row in judged])])
    order = sorted(range(len(rows)), key=rows.__getitem__)
    return both.take(pa.array(order, pa.int64())).combine_chunks()


def _records(batch: RawBatch, rows: list[int]) -> Iterator[tuple[int, Received]]:
    """Number and record of the rows."""
    taken = pa.array(rows, pa.int64())
    columns = batch.records.take(taken)
    numbers = batch.numbers.take(taken).to_pylist()
    lists = [
        columns["body"].to_pylist(),
        map(read_envelope, columns["envelope"].to_pylist()),
        columns["received_at"].cast(pa.int64()).to_pylist(),
        columns["source"].to_pylist(),
        columns["format"].to_pylist(),
        [f"{batch.stream}/{number}" for number in numbers],
    ]
    return zip(numbers, map(Received, *lists), strict=True)


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
