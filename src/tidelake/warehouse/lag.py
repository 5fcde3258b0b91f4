"""How far raw, silver and gold are behind, by their ledgers: one query over indexes.

A wait is counted from where a layer stands to what the layer before it has, so it costs by what
waits and not by history.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tidelake.warehouse.session import Connection

LAGS = """
with raw as (
    select count(*) as commits, coalesce(sum(records), 0) as records, min(committed_at) as since
    from tidelake.commits
    where
        table_name = 'events'
        and sequence_number > coalesce((
            select sequence_number from tidelake.consumers
            where table_name = 'events' and consumer = 'raw'
        ), 0)
),

done as (
    select coalesce((
        select to_load_id from tidelake.windows
        where status = 'done' order by to_load_id desc limit 1
    ), 0) as to_load_id
),

published as (
    select version, to_load_id, published_at, events
    from tidelake.publications order by version desc limit 1
),

silver as (
    select count(*) as loads, coalesce(sum(rows), 0) as rows, min(loaded_at) as since
    from tidelake.loads where load_id > (select to_load_id from done)
),

gold as (
    select count(*) as loads, coalesce(sum(rows), 0) as rows, min(loaded_at) as since
    from tidelake.loads where load_id > coalesce((select to_load_id from published), 0)
),

tests as (
    select count(*) as failed, min(test) as first
    from tidelake.data_tests where status not in ('pass', 'warn')
)

select
    clock_timestamp(),
    raw.commits, raw.records, raw.since,
    silver.loads, silver.rows, silver.since,
    gold.loads, gold.rows, gold.since,
    done.to_load_id,
    published.version, published.to_load_id, published.published_at,
    open.failed_model, open.message,
    tests.failed, tests.first,
    (
        select coalesce(sum(set_aside), 0)::bigint from tidelake.loads
        where loaded_at > clock_timestamp() - interval '1 hour'
    )
from raw, silver, gold, done, tests
left join published on true
left join tidelake.windows as open on open.status = 'failed'
"""


@dataclass(frozen=True, slots=True)
class Behind:
    """What waits for a layer: `units` are commits of the lake, or loads; since the oldest one."""

    units: int
    rows: int
    since: datetime | None


@dataclass(frozen=True, slots=True)
class Lags:
    """All layers at `at`, by the clock of the server."""

    at: datetime
    raw: Behind
    silver: Behind
    gold: Behind
    silver_load_id: int  # silver holds all loads up to this one
    gold_version: int | None
    gold_load_id: int | None
    published_at: datetime | None
    failed_model: str | None  # of the window under way
    message: str | None
    failed_tests: int
    failed_test: str | None  # one of them
    set_aside: int  # rows of the last hour

    def seconds(self, behind: Behind) -> float:
        """Age of the oldest that waits; 0 where nothing does."""
        return max((self.at - behind.since).total_seconds(), 0.0) if behind.since else 0.0

    @property
    def gold_age_s(self) -> float | None:
        """Age of the published gold; None where there is none."""
        if self.published_at is None:
            return None
        return max((self.at - self.published_at).total_seconds(), 0.0)


def lags(connection: Connection) -> Lags:
    """Costs by what waits. The login needs to read schema tidelake."""
    row = connection.execute(LAGS.encode()).fetchone()
    assert row is not None  # one row, always
    raw, silver, gold = (Behind(int(row[at]), int(row[at + 1]), row[at + 2]) for at in (1, 4, 7))
    return Lags(row[0], raw, silver, gold, *row[10:])
