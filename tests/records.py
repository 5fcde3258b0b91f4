"""Made-up rows of the lake's two tables."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa

from tidelake.event.contract import Contract
from tidelake.event.fields import Type
from tidelake.event.schemas.arrow import arrow_schema

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
STREAM = "inbox/7d0c/0"

SAMPLES: dict[Type, Any] = {
    Type.STRING: "",
    Type.LONG: 0,
    Type.DOUBLE: 0.0,
    Type.BOOLEAN: False,
    Type.TIMESTAMP: NOON,
    Type.DATE: NOON.date(),
    Type.BINARY: b"{}",
    Type.KEY: bytes(16),
    Type.STRINGS: [],
}


def rows_of(contract: Contract, rows: Sequence[dict[str, Any]]) -> pa.Table:
    """A table of the contract: what a row leaves out is null, or a sample where it is required."""
    filled = [
        {f.name: row.get(f.name, SAMPLES[f.type] if f.required else None) for f in contract}
        for row in rows
    ]
    return pa.Table.from_pylist(filled, schema=arrow_schema(contract))


def event(stream: str, number: int, at: datetime = NOON, **columns: Any) -> dict[str, Any]:
    position = f"{stream}/{number}"
    return {
        "event_key": hashlib.md5(position.encode()).digest(),
        "event_id": f"e{number}",
        "event_type": "page_view",
        "event_name": "page_view",
        "event_time": at + timedelta(milliseconds=number),
        "received_at": at,
        "source": "api",
        "format": "native",
        "source_position": position,
        "_doc": f'{{"page": {{"path": "/p{number}"}}}}',
        "_rest": "{}",
        **columns,
    }


def reject(stream: str, number: int, reason: str = "not_json", **columns: Any) -> dict[str, Any]:
    return {
        "reason": reason,
        "body": b"{broken %d" % number,
        "source": "api",
        "format": "native",
        "source_position": f"{stream}/{number}",
        "received_at": NOON,
        "records": 1,
        **columns,
    }
