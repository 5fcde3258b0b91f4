"""The ledger of raw over months: short, and exact about what is loaded."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from tests.pipeline.lakes import NOON, event
from tests.pipeline.loading import Loads, loads

from tidelake.lake.travel import rollback
from tidelake.pipeline import load as loading
from tidelake.pipeline.load import Retention
from tidelake.pipeline.rebuild_raw import rebuild_raw
from tidelake.settings import Settings
from tidelake.warehouse.raw import holdings, merge
from tidelake.warehouse.raw.merge import merge_dropped
from tidelake.warehouse.raw.retention import drop_before
from tidelake.warehouse.session import connect

DAY = timedelta(days=1)
SUMS = "select sum(rows), sum(set_aside), max(load_id), max(sequence_number) from tidelake.loads"
LOADS = "select count(*) from tidelake.loads where table_name = 'events'"


@pytest.fixture
def site(home_settings: Settings) -> Iterator[Loads]:
    with loads(home_settings) as made:
        yield made


def fill(site: Loads, first: int = 1) -> None:
    """Two days of loads: three files of two streams on each."""
    for number in range(6):
        start = first + 10 * number
        site.lake.commit(start, start + 9, bad={start + 1} if number == 2 else set())
        rows = [event(n, at=NOON, stream="file/ab/0") for n in range(start, start + 10)]
        site.lake.commit_rows(rows, [], start, start + 9, "file/ab/0")
        site.load()
        if number == 2:
            site.now += DAY


def drop_and_merge(site: Loads) -> int:
    """Everything is old, and dropped."""
    for table in ("events", "rejected_events"):
        drop_before(site.connection, table, date(2027, 1, 1), taken=10**6)
    later = site.now + 100 * DAY
    return sum(merge_dropped(site.connection, t, later) for t in ("events", "rejected_events"))


def test_dropped_loads_become_one_a_day_and_the_books_stay(site: Loads) -> None:
    fill(site)
    before, accounted = site.all(SUMS), site.events.accounted
    held = holdings.held_by_loads(site.connection, "events").streams

    assert drop_and_merge(site) == 12

    assert site.all(SUMS) == before
    assert site.events.accounted == accounted
    days = "select load_day, rows from tidelake.loads where table_name = 'events' order by 1"
    assert site.all(days) == [
        (date(2026, 11, 24), 59),
        (date(2026, 11, 25), 60),
    ]
    after = holdings.held_by_loads(site.connection, "events").streams
    assert {s: r.tolist() for s, r in after.items()} == {s: r.tolist() for s, r in held.items()}
    assert drop_and_merge(site) == 0
    site.lake.commit(61, 65)
    site.load()
    assert site.numbers() == [61, 62, 63, 64, 65]
    assert site.reasons() == []


def test_a_file_that_lost_its_name_is_not_loaded_again(site: Loads) -> None:
    fill(site)
    accounted = site.events.accounted
    drop_and_merge(site)
    site.connection.execute("update tidelake.consumers set sequence_number = 0")
    # As many rows are gone from the books as one of the files has: only its records tell.
    site.connection.execute(
        "update tidelake.load_totals set rows = rows - 10 where table_name = 'events'"
    )
    site.lake.commit(61, 65)
    site.load()

    assert site.numbers() == [61, 62, 63, 64, 65]
    assert "no longer names" in site.reasons()[0]
    assert site.events.accounted == accounted + 5


def test_a_rollback_of_merged_loads_leaves_the_books_exact(site: Loads) -> None:
    fill(site)
    target = site.lake.events.current_snapshot().snapshot_id
    fill(site, first=61)
    drop_and_merge(site)
    rollback(site.lake.catalog, target, "undo")
    site.load()

    assert site.numbers() == []
    assert site.events.accounted == site.lake.events.scan().count() == 119
    assert site.events.unexplained == 0


def test_days_of_merged_loads_come_back_whole(site: Loads, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(merge, "ROWS", 40)
    fill(site)
    positions = site.positions()
    drop_and_merge(site)
    assert site.one(LOADS) == 4
    rebuild_raw(site.lakehouse, site.now.date(), lambda _: None, dropped_too=True)

    assert sorted(site.positions()) == sorted(positions)
    assert site.balanced()
    largest = "select max(count) from (select count(*) from raw.events group by load_id) as loads"
    assert site.one(largest) <= 40


def test_loads_with_rows_set_aside_or_records_held_twice_stay_apart(site: Loads) -> None:
    fill(site)
    site.lake.commit_rows([event(61, user_id="a\0")], [], 61, 61)
    site.load()
    site.connection.execute(
        "update tidelake.loaded_records set records = records + '{[1,1]}' where load_id = 3"
    )

    assert drop_and_merge(site) == 6
    assert site.one("select count(*) from tidelake.loads where set_aside > 0") == 1
    assert site.one(LOADS) == 8


def test_the_loader_merges_what_is_a_month_old(
    site: Loads, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.now -= 40 * DAY
    fill(site)
    with connect(site.lakehouse.owner_url or "") as owner:
        owner.execute(
            "insert into tidelake.windows (from_load_id, to_load_id, timezone, status) "
            "values (0, 1000, 'UTC', 'done')"
        )
    Retention(site.connection, days=1).look()
    assert site.one(LOADS) == 12, "single loads are told of for a month"

    monkeypatch.setattr(loading, "MERGED_AFTER", timedelta(0))
    Retention(site.connection, days=1).look()
    assert site.one(LOADS) == 2


def test_what_is_loaded_twice_of_a_file_in_one_state_has_two_names(site: Loads) -> None:
    site.lake.commit(1, 10)
    site.load()
    for number in (3, 4):
        site.connection.execute(
            f"delete from raw.events where source_position like '%/{number}'".encode()
        )
        site.connection.execute(
            "update tidelake.loaded_records set records = records - %s::int8multirange",
            (f"{{[{number},{number}]}}",),
        )
        site.connection.execute("update tidelake.loads set rows = rows - 1 where load_id = 1")
        site.connection.execute("update tidelake.load_totals set rows = rows - 1 where rows > 0")
        site.load()

    assert site.numbers() == list(range(1, 11))
    assert site.events.unexplained == 0
    assert len({path for (path,) in site.all("select file_path from tidelake.loads")}) == 3


def test_a_ledger_is_read_page_by_page(site: Loads, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(holdings, "LOADS_AT_ONCE", 2)
    fill(site)
    site.lake.care(lowest=site.events.watermark)
    sizes = [len(page) for page in holdings.pages(site.connection, "events")]
    site.connection.execute("update tidelake.load_totals set rows = rows - 1 where rows > 10")
    site.load()

    assert sizes == [2] * 6
    assert len(site.reasons()) == 1
    assert site.one("select sum(removed + loaded) from tidelake.reconciliations") == 0
