"""Batches of raw records, and what the slow decoder alone makes of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from tidelake.batch import RAW_SCHEMA, Gap, RawBatch
from tidelake.event.contract import EVENTS, Contract
from tidelake.event.fields import Field, Type
from tidelake.process import Accepted, Context, Received, Rejected, Rules, judge, process
from tidelake.process.envelope import read_envelope

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
NOON_US = int(NOON.timestamp()) * 1_000_000
STREAM = "inbox/7d0c/0"
RULES = Rules()
EVENT = {
    "event_id": "e1",
    "event_type": "page_view",
    "user_id": "user_17",
    "timestamp": "2026-11-24T10:15:00.123Z",
}
_TYPES = {
    ("_doc", "product", "price"): Type.DOUBLE,  # also a member of an item
    ("_doc", "product", "color"): Type.STRING,
    ("_doc", "page", "url", "host"): Type.STRING,  # below a column that is text
    ("_doc", "traits", "plan"): Type.STRING,
    ("_doc", "x", "y", "z"): Type.LONG,
    ("_doc", "x", "at"): Type.TIMESTAMP,
    ("_doc", "x", "flag"): Type.BOOLEAN,
    ("_doc", "a-b", "class"): Type.DOUBLE,
}
GROWN = EVENTS.with_fields(
    tuple(
        Field(1000 + at, "_".join(path[1:]).replace("-", "_"), type, "", path)
        for at, (path, type) in enumerate(_TYPES.items())
    )
)


def batch_of(
    bodies: Sequence[bytes],
    format: str = "native",
    envelope: dict[str, Any] | None = None,
    received_at: datetime = NOON,
    gaps: tuple[Gap, ...] = (),
) -> RawBatch:
    """A batch whose records share everything but their bodies."""
    count = len(bodies)
    columns = [
        pa.array(bodies, pa.binary()),
        pa.array([json.dumps(envelope or {}).encode()] * count, pa.binary()),
        pa.array([received_at] * count, RAW_SCHEMA.field("received_at").type),
        pa.repeat("api", count),
        pa.repeat(format, count),
    ]
    records = pa.RecordBatch.from_arrays(columns, schema=RAW_SCHEMA)
    whole = RawBatch.contiguous(STREAM, 1, records)
    return RawBatch(whole.stream, whole.first, whole.last, whole.records, whole.numbers, gaps)


def body_of(record: Any) -> bytes:
    return record if isinstance(record, bytes) else json.dumps(record).encode()


def row(record: Any, format: str = "native", **known: Any) -> dict[str, Any]:
    """The row of events that one record becomes, without its nulls; also by the slow decoder."""
    contract: Contract = known.pop("contract", EVENTS)
    batch = batch_of([body_of(record)], format, **known)
    done = process(batch, contract, known.pop("rules", RULES))
    assert done.rejected.num_rows == 0, done.rejected.to_pylist()
    return {name: value for name, value in done.events.to_pylist()[0].items() if value is not None}


def refusal(record: Any, format: str = "native", **known: Any) -> tuple[str, str | None, str]:
    """Reason, field and detail of the rejected row that one record becomes."""
    done = process(batch_of([body_of(record)], format, **known), EVENTS, RULES)
    assert done.events.num_rows == 0, done.events.to_pylist()
    rejected = done.rejected.to_pylist()[0]
    return rejected["reason"], rejected["field"], rejected["detail"]


def judged(batch: RawBatch, contract: Contract, rules: Rules = RULES) -> list[Accepted | Rejected]:
    """The slow decoder's verdict on every record."""
    records = batch.records.to_pylist()
    return [
        judge(
            Received(
                record["body"],
                read_envelope(record["envelope"]),
                NOON_US,
                record["source"],
                record["format"],
                f"{batch.stream}/{number}",
            ),
            Context(contract, rules),
        )
        for number, record in zip(batch.numbers.to_pylist(), records, strict=True)
    ]
