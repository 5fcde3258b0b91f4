"""Lakes that a test fills by the pipeline's own encoder and committer, record by record."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa
from pyiceberg.catalog import Catalog
from pyiceberg.table import Table

from tidelake.batch import Encoded
from tidelake.event.contract import EVENTS, REJECTED, Contract
from tidelake.event.fields import Type
from tidelake.event.schemas.arrow import arrow_schema
from tidelake.lake.care import care_once
from tidelake.lake.commit import Committer
from tidelake.lake.contract import contract_of
from tidelake.lake.parquet import encode
from tidelake.lake.tables import load_table
from tidelake.lake.writer import Writer
from tidelake.settings import Care

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
STREAM = "inbox/7d0c/0"

SAMPLES: dict[Type, Any] = {
    Type.STRING: "",
    Type.LONG: 0,
    Type.TIMESTAMP: NOON,
    Type.DATE: NOON.date(),
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


def event(number: int, at: datetime = NOON, stream: str = STREAM, **columns: Any) -> dict[str, Any]:
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


def reject(number: int, stream: str = STREAM, **columns: Any) -> dict[str, Any]:
    return {
        "reason": "not_json",
        "body": b"{broken \x00 %d" % number,
        "source": "api",
        "format": "native",
        "source_position": f"{stream}/{number}",
        "received_at": NOON,
        "records": 1,
        **columns,
    }


@dataclass
class Filling:
    """Commits records to the tables of a catalog."""

    catalog: Catalog
    committer: Committer = field(init=False)

    def __post_init__(self) -> None:
        self.committer = Committer(self.catalog)
        self.committer.start_positions()

    @property
    def events(self) -> Table:
        return load_table(self.catalog, "events")

    @property
    def rejects(self) -> Table:
        return load_table(self.catalog, "rejected_events")

    def commit(
        self,
        first: int,
        last: int,
        *,
        bad: Collection[int] = (),
        at: datetime = NOON,
        stream: str = STREAM,
        **columns: Any,
    ) -> None:
        """Records `first..last`, the `bad` ones as rejects, as one commit."""
        numbers = range(first, last + 1)
        events = [event(n, at, stream, **columns) for n in numbers if n not in bad]
        rejects = [reject(n, stream) for n in numbers if n in bad]
        self.commit_rows(events, rejects, first, last, stream)

    def commit_rows(
        self,
        events: Sequence[dict[str, Any]],
        rejects: Sequence[dict[str, Any]],
        first: int,
        last: int,
        stream: str = STREAM,
    ) -> None:
        contract = contract_of(self.events)
        files = encode(rows_of(contract, events), contract)
        files += encode(rows_of(REJECTED, rejects), REJECTED)
        refused = {"not_json": len(rejects)} if rejects else {}
        encoded = Encoded(
            stream, first, last, files, len(events), refused, 0, 100 * (last - first + 1)
        )
        stored = Writer.for_tables(self.events, self.rejects).store(encoded)
        self.committer.commit([stored])

    def care(self, lowest: int | None = None, **settings: Any) -> list[Any]:
        """One look after both tables, a month later; `lowest` is the watermark of consumers."""
        return care_once(
            self.catalog,
            Care(**{"min_files": 2, **settings}),
            datetime.now(UTC) + timedelta(days=30),
            lambda _: lowest,
        )


def days_before(days: int) -> date:
    return NOON.date() - timedelta(days=days)


__all__ = ["EVENTS", "NOON", "STREAM", "Filling", "days_before", "event", "reject", "rows_of"]
