"""A small gold made by hand, in as many versions as a test wants."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import duckdb

GOLD = """
create schema gold;
create table gold.publication as
select {version}::bigint as version, 0::bigint as from_load_id, 3::bigint as to_load_id,
    '{at}'::timestamptz as published_at, 'UTC' as timezone, '' as trouble;
create table gold.daily_traffic as
select date '2026-11-20' as day, 'shop' as project, 'DE' as country, {events}::bigint as events;
"""


def publish(home: Path, version: int, at: datetime, events: int = 300) -> Path:
    """A gold file and the pointer to it, as the transform part leaves them."""
    folder = home / "gold"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"gold-{version:08d}.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(GOLD.format(version=version, at=at.astimezone(UTC), events=events))
    (folder / "current").write_text(path.name)
    return path
