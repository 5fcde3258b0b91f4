"""Small layers beyond the lake, made by hand: what reads them is shown without what fills them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import duckdb
import psycopg

RAW = """
set role raw_owner;
create table raw.events (
    load_id bigint not null, row_number integer not null, load_day date not null,
    event_id text, order_total double precision
) partition by range (load_day);
create table raw.events_20261120 partition of raw.events
    for values from ('2026-11-20') to ('2026-11-21');
insert into raw.events
select 1 + n / 100, n, '2026-11-20', 'e' || n, n from generate_series(0, 299) as n;
"""
SILVER = """
set role silver_owner;
create table silver.sessions (session_key uuid primary key, events bigint);
insert into silver.sessions select gen_random_uuid(), n from generate_series(1, 5) as n;
create table silver.events as select event_id from raw.events;
create table silver_pii.users (user_id text);
insert into silver_pii.users values ('user_1');
"""

GOLD = """
create schema gold;
create table gold.publication as
select {version}::bigint as version, 0::bigint as from_load_id, {to}::bigint as to_load_id,
    '{at}'::timestamptz as published_at, 'UTC' as timezone, '' as trouble;
create table gold.daily_traffic as
select date '2026-11-20' as day, 'shop' as project, 'DE' as country, {events}::bigint as events;
"""


def fill_warehouse(database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(RAW.encode())
        connection.execute(SILVER.encode())


def publish(home: Path, version: int, at: datetime, events: int = 300, to: int = 3) -> Path:
    """A gold file and the pointer to it, as the transform part leaves them."""
    folder = home / "gold"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"gold-{version:08d}.duckdb"
    with duckdb.connect(str(path)) as connection:
        filled = GOLD.format(version=version, to=to, at=at.astimezone(UTC), events=events)
        connection.execute(filled)
    (folder / "current").write_text(path.name)
    return path
