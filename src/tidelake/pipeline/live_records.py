"""The last records in PostgreSQL, each with its way: acknowledged, inbox, lake, raw, silver, gold.

Asked as the login `dashboard`: masked views alone, so that no personal field is shown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from psycopg.rows import dict_row

from tidelake.batch import split_position
from tidelake.dashboard.live import SeenRecord, Station
from tidelake.warehouse.session import Connection

MOST_LOADS = 60  # the newest ones
MOST_ROWS = 200_000  # of those loads: a bulk load is looked at alone
OF_A_LOAD = 2  # so that records at every station of the way are shown
MOST_COMMITS = 5000

EVENTS = """
    with newest as (
        select load_id, rows, sum(rows) over (order by load_id desc) - rows as newer
        from (
            select load_id, rows from tidelake.loads where table_name = 'events' and rows > 0
            order by load_id desc limit %(loads)s
        ) as last
    )
    select event.*
    from newest
    cross join lateral (
        select
            load_id, row_number, event_type, event_name, received_at, source, source_position,
            format, coalesce(project, 'default') as project, location_country, page_path,
            user_agent_device_type, quality_flags, order_total, order_currency, search_query
        from silver.raw_events
        where raw_events.load_id = newest.load_id
            and (%(project)s = '' or coalesce(project, 'default') = %(project)s)
        order by raw_events.row_number desc limit %(of_a_load)s
    ) as event
    where newest.newer < %(rows)s
    order by event.load_id desc, event.row_number desc limit %(count)s
"""
REJECTED = """
    select
        load_id, reason, field, detail, source, source_position, format, project, received_at,
        records
    from silver.rejected_events
    where (%(project)s = '' or project = %(project)s)
    order by load_id desc, row_number desc limit %(count)s
"""
# Of events alone, also for rejects: its positions move over every record that was judged.
COMMITS = """
    select positions, sequence_number, committed_at from tidelake.commits
    where table_name = 'events' and committed_at >= %(since)s
    order by committed_at limit %(most)s
"""
WAYS = """
    select wanted.load_id, loads.loaded_at, loads.file_path, windows.status, windows.finished_at,
        windows.to_load_id, published.version, published.published_at
    from unnest(%(load_ids)s::bigint []) as wanted (load_id)
    left join tidelake.loads using (load_id)
    left join lateral (
        select status, finished_at, to_load_id from tidelake.windows
        where to_load_id >= wanted.load_id order by to_load_id limit 1
    ) as windows on true
    left join lateral (
        select version, published_at from tidelake.publications
        where to_load_id >= wanted.load_id order by version limit 1
    ) as published on true
"""

Found = Mapping[str, Any]


def last_records(
    connection: Connection, count: int, *, rejected: bool, project: str
) -> list[SeenRecord]:
    """The newest first. Raises psycopg's errors."""
    given = {"count": count, "project": project, "loads": MOST_LOADS, "rows": MOST_ROWS,
             "of_a_load": OF_A_LOAD}  # fmt: skip
    rows = _rows(connection, REJECTED if rejected else EVENTS, given)
    if not rows:
        return []
    since = min(row["received_at"] for row in rows) - timedelta(seconds=1)
    commits = _rows(connection, COMMITS, {"since": since, "most": MOST_COMMITS})
    wanted = sorted({row["load_id"] for row in rows})
    ways = {way["load_id"]: way for way in _rows(connection, WAYS, {"load_ids": wanted})}
    made = _rejected if rejected else _accepted
    return [made(row, _way(row, commits, ways[row["load_id"]])) for row in rows]


def _rows(connection: Connection, query: str, given: Mapping[str, Any]) -> list[dict[str, Any]]:
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query.encode(), given).fetchall()


def _accepted(row: Found, way: Sequence[Station]) -> SeenRecord:
    name = row["event_name"] if row["event_name"] != row["event_type"] else ""
    total = f"{row['order_total']:,.2f} {row['order_currency'] or ''}" if row["order_total"] else ""
    said = (
        name and f"sent as {name}",
        row["page_path"],
        row["search_query"] and f"search “{row['search_query']}”",
        total.strip(),
        row["location_country"],
        row["user_agent_device_type"],
        f"project {row['project']}",
        f"{row['format']} over {row['source']}",
    )
    return SeenRecord(
        row["event_type"],
        row["received_at"],
        row["project"],
        facts=[fact for fact in said if fact],
        flags=row["quality_flags"] or (),
        way=way,
    )


def _rejected(row: Found, way: Sequence[Station]) -> SeenRecord:
    records = f"{row['records']:,} records" if (row["records"] or 1) > 1 else ""
    said = (row["field"] and f"field {row['field']}", records, f"project {row['project']}",
            f"{row['format']} over {row['source']}")  # fmt: skip
    return SeenRecord(
        row["reason"],
        row["received_at"],
        row["project"],
        facts=[fact for fact in said if fact],
        body=row["detail"] or "",
        rejected=True,
        way=way,
    )


def _way(row: Found, commits: Sequence[Found], way: Found) -> list[Station]:
    stream, number = split_position(row["source_position"])
    commit = _commit_of(commits, stream, number)
    file = (way["file_path"] or "").rpartition("/")[2]
    done = way["status"] == "done"
    return [
        Station("Acknowledged", row["source"], row["received_at"]),
        Station("Inbox", f"{_short(stream)} #{number:,}"),
        Station("Lake", f"snapshot {commit['sequence_number']:,}" if commit else "",
                commit["committed_at"] if commit else None, file),
        Station("Raw", f"load {row['load_id']:,}", way["loaded_at"], file),
        Station("Silver", f"window to {way['to_load_id']:,}" if way["to_load_id"] else "waits",
                way["finished_at"] if done else None, done=done),
        Station("Gold", f"version {way['version']:,}" if way["version"] else "waits",
                way["published_at"], done=way["version"] is not None),
    ]  # fmt: skip


def _commit_of(commits: Sequence[Found], stream: str, number: int) -> Found | None:
    """The first commit that moved a stream over a record."""
    for commit in commits:
        moved = commit["positions"].get(stream)
        if moved and moved[0] <= number <= moved[1]:
            return commit
    return None


def _short(stream: str) -> str:
    """`inbox/<uuid>/0` is lane 0; a file is known by the first digits of its hash."""
    source, _, rest = stream.partition("/")
    incarnation, _, lane = rest.partition("/")
    return f"lane {lane}" if source == "inbox" else f"{source} {incarnation[:8]}"
