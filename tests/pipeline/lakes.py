"""Lakes that a test fills by the pipeline's own encoder and committer, record by record."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from pyiceberg.catalog import Catalog
from pyiceberg.table import Table
from tests import records
from tests.records import NOON, STREAM, rows_of

from tidelake.batch import Encoded
from tidelake.event.contract import EVENTS, REJECTED
from tidelake.lake.care import care_once
from tidelake.lake.commit import Committer
from tidelake.lake.contract import contract_of
from tidelake.lake.parquet import encode
from tidelake.lake.tables import load_table
from tidelake.lake.writer import Writer
from tidelake.settings import Care


def event(number: int, at: datetime = NOON, stream: str = STREAM, **columns: Any) -> dict[str, Any]:
    return records.event(stream, number, at, **columns)


def reject(number: int, stream: str = STREAM, **columns: Any) -> dict[str, Any]:
    return records.reject(stream, number, **{"body": b"{broken \x00 %d" % number, **columns})


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
