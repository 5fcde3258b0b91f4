"""A lake of a few rows that a reader can hold in mind: Parquet files and the views over them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from tidelake.event.contract import EVENTS, REJECTED, Contract
from tidelake.event.schemas.arrow import arrow_schema

UTC, BERLIN = "UTC", "Europe/Berlin"
MONDAY = date(2026, 11, 2)
SOON = timedelta(seconds=2)  # from the event to its reception


def at(text: str) -> datetime:
    """`2026-11-02 10:00` is that time in UTC."""
    return datetime.fromisoformat(f"{text}+00:00")


@dataclass
class HandMade:
    """Rows as they arrive; each is received two seconds after it happened, unless it says when."""

    events: list[dict[str, Any]] = field(default_factory=list)
    rejected: list[dict[str, Any]] = field(default_factory=list)

    def event(
        self, event_id: str, time: str, event_type: str = "page_view", **columns: Any
    ) -> None:
        row = {
            "event_key": hashlib.md5(event_id.encode()).digest(),
            "event_id": event_id,
            "event_type": event_type,
            "event_name": event_type,
            "event_time": at(time),
            "event_day": at(time).date(),
            "received_at": at(time) + SOON,
            "source": "api",
            "source_position": f"inbox/1/0/{len(self.events) + 1}",
            "format": "native",
            "quality_flags": [],
        }
        self.events.append(row | columns)

    def repeat(self, event_id: str, received_at: str, **columns: Any) -> None:
        """Another copy of an event that is there."""
        first = next(row for row in self.events if row["event_id"] == event_id)
        again = {
            "received_at": at(received_at),
            "source_position": f"inbox/1/0/{len(self.events) + 1}",
        }
        self.events.append(first | again | columns)

    def reject(self, received_at: str, reason: str, records: int = 1, **columns: Any) -> None:
        row = {
            "reason": reason,
            "body": b"{",
            "source": "api",
            "source_position": f"inbox/1/1/{len(self.rejected) + 1}",
            "format": "native",
            "received_at": at(received_at),
            "records": records,
        }
        self.rejected.append(row | columns)

    def lake(self, folder: Path) -> duckdb.DuckDBPyConnection:
        """A connection with the views `events` and `rejected_events` over Parquet files."""
        connection = duckdb.connect()
        connection.execute("set timezone = 'UTC'")
        for contract, rows in ((EVENTS, self.events), (REJECTED, self.rejected)):
            file = folder / f"{contract.table}.parquet"
            pq.write_table(_table(contract, rows), file)
            view = f"create view {contract.table} as select * from read_parquet('{file}')"
            connection.execute(view)
        return connection


def _table(contract: Contract, rows: Sequence[dict[str, Any]]) -> pa.Table:
    whole = [{column.name: row.get(column.name) for column in contract} for row in rows]
    return pa.Table.from_pylist(whole, schema=arrow_schema(contract))


def rows(table: pa.Table) -> list[tuple[Any, ...]]:
    """The rows of an answer, in order."""
    return sorted(tuple(row.values()) for row in table.to_pylist())
