"""What the demo measures, asked of the lake and of the commit ledger."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pyarrow as pa

from tidelake.pipeline.demo_traffic import Traffic
from tidelake.warehouse.commits import Commit, CommitLedger

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# An event that was sent twice has two answers, and which commit took which is not known.
LATENCY = """
with once as (
    select event_id, any_value(answered_at) as answered_at
    from answers group by event_id having count(*) = 1
),
placed as (
    select
        event_id,
        regexp_replace(source_position, '/[0-9]+$', '') as stream,
        regexp_extract(source_position, '([0-9]+)$', 1)::bigint as number
    from events where received_at >= to_timestamp(?)
)
select quantile_cont(greatest(landed.at - once.answered_at, 0), [0.5, 0.99])
from once
join placed using (event_id)
asof join landed on placed.stream = landed.stream and placed.number <= landed.last
"""

REPEATS = """
select count(*) - count(distinct event_key) from events where received_at >= to_timestamp(?)
"""


def repeats(lake: DuckDBPyConnection, began: float) -> int:
    """Events received since `began` (epoch seconds) less their distinct keys."""
    row = lake.execute(REPEATS, [began]).fetchone()
    assert row is not None, "an aggregate gives a row"
    return int(row[0])


def commits(database_url: str, began: float) -> list[Commit]:
    """The commits since `began`."""
    with closing(CommitLedger(database_url)) as ledger:
        return list(ledger.since(datetime.fromtimestamp(began, UTC)))


def latency(
    lake: DuckDBPyConnection, landed: Sequence[Commit], began: float, traffic: Traffic
) -> dict[str, float]:
    """Seconds from the 2xx of an event until its commit was there: `p50` and `p99`."""
    lake.register("answers", _answers(traffic))
    lake.register("landed", _landed(landed))
    try:
        row = lake.execute(LATENCY, [began]).fetchone()
    finally:
        lake.unregister("answers")
        lake.unregister("landed")
    assert row is not None, "an aggregate gives a row"
    return dict(zip(("p50", "p99"), (round(s, 3) for s in row[0] or ()), strict=False))


def _answers(traffic: Traffic) -> pa.Table:
    ids = [event_id for _, found in traffic.answers for event_id in found]
    times = [at for at, found in traffic.answers for _ in found]
    return pa.table(
        {
            "event_id": pa.array(ids, pa.binary()).cast(pa.string(), safe=False),
            "answered_at": pa.array(times, pa.float64()),
        }
    )


def _landed(commits: Sequence[Commit]) -> pa.Table:
    rows = [
        (stream, last, commit.committed_at.timestamp())
        for commit in commits
        for stream, (_, last) in commit.positions.items()
    ]
    return pa.table(
        {
            "stream": pa.array([row[0] for row in rows], pa.string()),
            "last": pa.array([row[1] for row in rows], pa.int64()),
            "at": pa.array([row[2] for row in rows], pa.float64()),
        }
    )
