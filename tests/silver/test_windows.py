"""Whatever the windows, and whatever becomes of a run in its middle: silver is the same."""

from __future__ import annotations

import json
import random
from datetime import timedelta
from typing import Any

from tests.process.batches import NOON
from tests.silver.stand import Stand, processed

from tidelake.generate import GeneratorSpec, generate

TABLES = {
    "silver_pii": ("events", "users", "identities", "sessions", "locations"),
    "silver": (
        "devices",
        "page_views",
        "orders",
        "order_items",
        "refunds",
        "searches",
        "engagement",
        "web_performance",
        "rejected_events",
        "visitor_days",
        "visitor_weeks",
    ),
}

#: What says how a row came, which differs with the order of arrival.
OF_ARRIVAL = ("load_id", "row_number", "source_position")

#: Models that change rows, with what they stand on.
WITH_STATE = (
    "+pii_users",
    "+pii_identities",
    "+session_changes",
    "+visitor_week_changes",
    "+orders",
)

EVENTS = 2000
LOADS = 4


def everything(silver: Stand) -> dict[str, list[Any]]:
    return {
        table: rows_of(silver, schema, table) for schema, names in TABLES.items() for table in names
    }


def rows_of(silver: Stand, schema: str, table: str) -> list[str]:
    columns = silver.rows(
        "select column_name from information_schema.columns where table_schema = %s"
        " and table_name = %s and column_name <> all(%s)",
        schema,
        table,
        list(OF_ARRIVAL),
    )
    return sorted(map(repr, silver.rows(f"select {', '.join(columns)} from {schema}.{table}")))


def lines(seed: int) -> list[bytes]:
    """Traffic of few visitors; half of it without sessions, so that silence makes them."""
    spec = GeneratorSpec(
        seed=seed,
        users=40,
        start=NOON - timedelta(days=9),
        end=NOON,
        count=EVENTS,
        repeat=0.05,
        bad={"not_json": 0.01},
    )
    made = [line for chunk in generate(spec) for line in chunk.lines().splitlines()]
    return [without_session(line) if at % 2 else line for at, line in enumerate(made)]


def without_session(line: bytes) -> bytes:
    try:
        record = json.loads(line)
        record["_doc"].pop("session_info", None)
    except (ValueError, KeyError):
        return line
    return json.dumps(record).encode()


def test_many_windows_out_of_order_with_failures_make_the_same_as_one(
    silver: Stand, other_silver: Stand
) -> None:
    made = lines(seed=7)
    silver.load(processed(made, project="one"))
    silver.take()
    whole = {
        table: [row for row in rows if "'one'" in row] for table, rows in everything(silver).items()
    }
    # Locations and devices are of no project; the other silver holds nothing else.
    del whole["locations"], whole["devices"]

    chance = random.Random(7)
    chance.shuffle(made)
    for at in range(LOADS):
        other_silver.load(processed(made[at::LOADS], project="one"))
        if at == 1:
            continue  # a window of two loads
        # A run that failed after some models, and lost the work table in a crash of PostgreSQL.
        other_silver.run(*chance.sample(WITH_STATE, 2))
        other_silver.execute("truncate silver_pii.new_events")
        other_silver.take()
    other_silver.repeat()
    found = everything(other_silver)
    assert {table: len(rows) for table, rows in whole.items()} == {
        table: len(found[table]) for table in whole
    }
    for table, rows in whole.items():
        assert rows or table == "refunds", table
        assert found[table] == rows, table


def test_what_gold_adds_up_is_what_stands_there(other_silver: Stand) -> None:
    assert other_silver.rows(
        "select sum(sign), sum(sign * events), sum(sign * duration_s)::numeric(12, 3)"
        " from silver.session_changes"
    ) == other_silver.rows(
        "select count(*), sum(events), sum(duration_s)::numeric(12, 3) from silver.sessions"
    )
    assert other_silver.rows(
        "select country, first_day, cohort_week, weeks_after, sum(sign)"
        " from silver.visitor_week_changes group by 1, 2, 3, 4 having sum(sign) <> 0"
        " order by 1, 2, 3, 4"
    ) == other_silver.rows(
        "select country, first_day, cohort_week, weeks_after, count(*)"
        " from silver.visitor_weeks group by 1, 2, 3, 4 order by 1, 2, 3, 4"
    )


def test_a_small_window_reads_no_table_of_history(other_silver: Stand) -> None:
    read = """
    select relname, seq_tup_read from pg_stat_user_tables
    where schemaname in ('silver', 'silver_pii') and relname <> 'new_events' and n_live_tup > 300
    order by 1
    """  # a table of a few pages is read as a whole, whatever there is to look up
    other_silver.execute("analyze")
    other_silver.load(processed(lines(seed=8)[:20], project="one"))
    other_silver.execute("select pg_stat_force_next_flush()")
    before = other_silver.rows(read)
    assert len(before) >= 6
    other_silver.take()
    assert other_silver.rows(read) == before


def test_every_data_test_passes_on_generated_traffic(other_silver: Stand) -> None:
    assert [(found.name, found.message) for found in other_silver.test()] == []
