"""A batch of raw records becomes rows of events and of rejected events."""

from __future__ import annotations

from collections.abc import Iterator
from operator import itemgetter
from typing import Any

import pyarrow as pa

from tidelake.batch import Processed, RawBatch
from tidelake.event.contract import REJECTED, Contract
from tidelake.event.verdicts import Reason
from tidelake.process.envelope import read_envelope
from tidelake.process.fast.accept import accept
from tidelake.process.judge import Accepted, Rejected, judge
from tidelake.process.rejects import gap_rows, rejected_row
from tidelake.process.rules import Rules
from tidelake.process.statement import Context, Received
from tidelake.process.tables import schema_of, table_of

Row = dict[str, Any]


def process(batch: RawBatch, contract: Contract, rules: Rules) -> Processed:
    """Every record of the batch as a row of exactly one of the two tables, in order of number.

    Pure: the same batch gives the same tables, on any machine and at any time. No record raises.
    The fast decoder takes what it is sure of, `judge` settles the rest; no reader can tell which.
    """
    accepted, taken = accept(batch, contract, rules)
    rejected = gap_rows(batch)
    judged: list[tuple[int, Row]] = []
    left = sorted(set(range(batch.records.num_rows)).difference(taken))
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


def refuse(batch: RawBatch, contract: Contract, detail: str) -> Processed:
    """Every record of the batch as a reject, unread: what a worker can not process at all."""
    verdict = Rejected(Reason.UNPROCESSABLE, None, detail)
    everything = list(range(batch.records.num_rows))
    rejected = gap_rows(batch)
    rejected += [
        (n, rejected_row(received, verdict)) for n, received in _records(batch, everything)
    ]
    return Processed(
        schema_of(contract).empty_table(),
        table_of(REJECTED, [row for _, row in sorted(rejected, key=itemgetter(0))]),
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
