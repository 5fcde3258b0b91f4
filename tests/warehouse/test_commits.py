from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from tidelake.warehouse.commits import Commit, CommitLedger

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
FIRST = Commit(
    commit_id=UUID(int=1),
    table_name="events",
    snapshot_id=8_000_000_000_000_000_001,
    sequence_number=1,
    operation="append",
    committed_at=NOON,
    prepared_at=NOON - timedelta(milliseconds=40),
    records=1000,
    files=2,
    bytes=30_000,
    raw_bytes=900_000,
    positions={"inbox/4f/0": (1, 600), "inbox/4f/1": (1, 400)},
)
SECOND = Commit(UUID(int=2), "events", 7, 2, "append", NOON + timedelta(seconds=1))
REJECTS = replace(SECOND, commit_id=UUID(int=3), table_name="rejected_events", sequence_number=9)


@pytest.fixture
def ledger(url: str) -> Iterator[CommitLedger]:
    found = CommitLedger(url)
    yield found
    found.close()


def test_a_commit_comes_back_as_it_was_written(ledger: CommitLedger) -> None:
    assert ledger.insert(FIRST)
    assert ledger.since(NOON - timedelta(days=1)) == [FIRST]


def test_a_commit_written_twice_is_there_once_and_unchanged(ledger: CommitLedger) -> None:
    assert ledger.insert(FIRST)
    assert not ledger.insert(replace(FIRST, records=5))
    assert ledger.since(NOON - timedelta(days=1)) == [FIRST]


def test_commits_since_a_moment_come_oldest_first(ledger: CommitLedger) -> None:
    for commit in (REJECTS, SECOND, FIRST):
        ledger.insert(commit)
    before = NOON - timedelta(seconds=1)
    assert ledger.since(before) == [FIRST, SECOND, REJECTS]
    assert ledger.since(before, table="events") == [FIRST, SECOND]
    assert ledger.since(before, limit=1) == [FIRST]
    assert ledger.since(NOON) == [SECOND, REJECTS]


def test_commits_older_than_thirty_days_are_pruned(ledger: CommitLedger) -> None:
    for commit in (FIRST, SECOND):
        ledger.insert(commit)
    assert ledger.prune(NOON + timedelta(days=30)) == 0
    assert ledger.prune(NOON + timedelta(days=30, seconds=1)) == 1
    assert ledger.since(NOON - timedelta(days=1)) == [SECOND]
