"""Following a key costs by the days that there are, not by the events in them."""

from __future__ import annotations

from typing import Any

import pytest

from tidelake.pipeline.trace_find import BY_KEY
from tidelake.warehouse.session import Connection, connect

TABLE = """
create schema silver_pii;
create table silver_pii.events (event_day date, event_key bytea, primary key (event_day, event_key))
"""
# The key of the number n, as long as a real one.
FILL = """
insert into silver_pii.events
select date '2026-01-01' + (n % 30)::int, decode(md5(n::text), 'hex')
from generate_series({first}, {last}) as n
"""


def blocks(connection: Connection, key: str) -> int:
    """Pages that the query touches."""
    asked = f"explain (analyze, buffers, format json) {BY_KEY}".encode()
    row = connection.execute(asked, (bytes.fromhex(key),)).fetchone()
    assert row is not None
    plan: dict[str, Any] = row[0][0]["Plan"]
    return int(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])


@pytest.mark.parametrize("known", [True, False])
def test_a_key_costs_the_same_with_twenty_times_the_events(database_url: str, known: bool) -> None:
    with connect(database_url) as connection:
        connection.execute(TABLE)
        connection.execute(FILL.format(first=1, last=20_000).encode())
        connection.execute("vacuum analyze silver_pii.events")
        row = connection.execute("select md5('7'), md5('nobody')").fetchone()
        assert row is not None
        key = row[0] if known else row[1]
        few = blocks(connection, key)

        connection.execute(FILL.format(first=20_001, last=400_000).encode())
        connection.execute("vacuum analyze silver_pii.events")
        many = blocks(connection, key)
        found = connection.execute(BY_KEY, (bytes.fromhex(key),)).fetchall()

    assert many <= 2 * few, "one more level of the index at most"
    assert [str(day) for (day,) in found] == (["2026-01-08"] if known else [])


def test_without_an_event_nothing_is_found(database_url: str) -> None:
    with connect(database_url) as connection:
        connection.execute(TABLE)

        assert connection.execute(BY_KEY, (b"k",)).fetchall() == []
