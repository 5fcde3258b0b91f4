"""The books of the layers and the pipeline's health, as gold tells them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tests.gold.stand import NOON, Stand

LOAD = """
insert into tidelake.loads (load_id, table_name, file_path, sequence_number, rows, set_aside,
    load_day, loaded_at)
values (%s, %s, %s, %s, %s, %s, '2026-11-24', %s)
"""
TOTALS = """
update tidelake.load_totals set rows = rows + %s, set_aside = set_aside + %s where table_name = %s
"""
WINDOW = """
insert into tidelake.windows
(from_load_id, to_load_id, timezone, status, started_at, finished_at,
    raw_rows, new_events, repeats, rejected)
values (%s, %s, 'UTC', %s, %s, %s, %s, %s, %s, %s)
"""
COMMIT = """
insert into tidelake.commits
(commit_id, table_name, snapshot_id, sequence_number, operation, committed_at,
    records, files, bytes, raw_bytes)
values (gen_random_uuid(), 'events', 1, 1, 'append', %s, 100, 2, 3000, 90000)
"""


def load(
    stand: Stand, load_id: int, table: str, rows: int, aside: int = 0, at: datetime = NOON
) -> None:
    stand.execute(LOAD, load_id, table, f"file {load_id}", load_id, rows, aside, at)
    stand.execute(TOTALS, rows, aside, table)


def window(
    stand: Stand, bounds: tuple[int, int], status: str, *counts: int, at: datetime = NOON
) -> None:
    stand.execute(WINDOW, *bounds, status, at, at + timedelta(seconds=1.5), *counts)


def books(stand: Stand) -> dict[tuple[str, str], tuple[int, ...]]:
    rows = stand.rows("select layer, measure, expected, found, difference from books")
    return {(layer, measure): tuple(counts) for layer, measure, *counts in rows}


def test_the_books_balance_from_window_to_window(stand: Stand) -> None:
    load(stand, 1, "events", 10, aside=1)
    load(stand, 2, "rejected_events", 3)
    load(stand, 3, "events", 5)
    window(stand, (0, 2), "done", 10, 8, 2, 3)
    window(stand, (2, 3), "done", 5, 5, 0, 0)
    for load_id, events in ((1, 8), (3, 5)):
        stand.put("events", load_id, {}, times=events)
    stand.put("repeats", 1, {"repeats": 2})
    stand.put("rejected_events", 2, {}, times=3)
    stand.take(0, 2)
    stand.take(2, 3)
    assert books(stand) == {
        ("raw", "events"): (16, 16, 0),
        ("raw", "rejected events"): (3, 3, 0),
        ("silver", "rows of events"): (15, 15, 0),
        ("silver", "new events and repeats"): (15, 15, 0),
        ("silver", "rejected events"): (3, 3, 0),
        ("gold", "events"): (13, 13, 0),
        ("gold", "repeats"): (2, 2, 0),
    }
    assert stand.test() == []


def test_rows_that_a_layer_lacks_are_a_difference_that_a_test_finds(stand: Stand) -> None:
    load(stand, 1, "events", 10)
    window(stand, (0, 1), "done", 10, 10, 0, 0)
    stand.put("events", 1, {}, times=9)
    stand.execute("update tidelake.load_totals set unexplained = 2 where table_name = 'events'")
    stand.take(0, 1)
    assert books(stand)["raw", "events"] == (12, 10, -2)
    assert books(stand)["gold", "events"] == (10, 9, -1)
    assert [one.name for one in stand.test()] == ["books_balance"]


def test_hours_grow_until_they_are_over_and_go_after_thirty_days(stand: Stand) -> None:
    hour = datetime(2026, 11, 24, 11, tzinfo=UTC)
    long_ago = hour - timedelta(days=29, hours=23)
    for at in (long_ago - timedelta(days=1), long_ago, hour):
        stand.execute(COMMIT, at)
    load(stand, 1, "events", 100, aside=1, at=hour)
    load(stand, 2, "rejected_events", 7, at=hour)
    window(stand, (0, 1), "failed", 0, 0, 0, 0, at=hour)
    stand.take(0, 1)
    assert stand.rows("from pipeline_health order by hour, table_name") == [
        (long_ago, "events", 1, 2, 100, 3000, 90000, 0, 0, 0, 0, 0, 0.0),
        (hour, "events", 1, 2, 100, 3000, 90000, 1, 100, 1, 1, 1, 1.5),
        (hour, "rejected_events", 0, 0, 0, 0, 0, 1, 7, 0, 0, 0, 0.0),
    ]
    stand.execute("update tidelake.windows set status = 'done'")
    stand.execute(COMMIT, hour + timedelta(minutes=59))
    stand.execute(COMMIT, NOON + timedelta(minutes=1))
    stand.take(1, 2, published_at=(NOON + timedelta(hours=1, minutes=30)).isoformat())
    assert stand.rows(
        "select hour, commits, failed_windows from pipeline_health"
        " where table_name = 'events' order by hour"
    ) == [
        (hour, 2, 0),
        (NOON, 1, 0),
    ]
