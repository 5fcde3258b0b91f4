"""The row of the commit ledger for a commit of the lake."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from tidelake.lake.commit import Committed
from tidelake.lake.writer import StoredRange
from tidelake.warehouse.commits import Commit


def row_of(committed: Committed, group: Sequence[StoredRange], landed_at: float) -> Commit:
    """`landed_at` (epoch seconds) is when the commit was there; the snapshot is made before it."""
    files = [file for one in group for file in one.files]
    ends: dict[str, tuple[int, int]] = {}
    for one in group:
        first = ends.get(one.stream, (one.first, 0))[0]
        ends[one.stream] = (first, one.last)
    return Commit(
        commit_id=UUID(committed.commit_id),
        table_name="events",
        snapshot_id=committed.snapshot_id,
        sequence_number=committed.sequence_number,
        operation="append",
        committed_at=datetime.fromtimestamp(landed_at, UTC),
        prepared_at=datetime.fromtimestamp(committed.committed_at_ms / 1000, UTC),
        records=sum(one.last - one.first + 1 for one in group),
        files=len(files),
        bytes=sum(file.size for file in files),
        raw_bytes=committed.tally.raw_bytes,
        positions=ends,
    )
