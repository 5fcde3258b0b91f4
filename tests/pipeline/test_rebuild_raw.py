"""Raw made anew from the lake: the same rows under the same loads, whatever was wrong before."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import date, timedelta

import pytest
from tests.pipeline.lakes import NOON, event
from tests.pipeline.loading import Loads, loads

from tidelake.errors import FencedError, UsageError
from tidelake.lake.travel import rollback
from tidelake.pipeline.load import PART, REBUILD, Retention
from tidelake.pipeline.rebuild_raw import rebuild_raw
from tidelake.settings import Settings
from tidelake.warehouse.lease import Lease
from tidelake.warehouse.raw.refill import Refill
from tidelake.warehouse.raw.retention import drop_before
from tidelake.warehouse.session import connect

DAY = timedelta(days=1)
NEXT_TABLES = "select count(*) from pg_class where relname like 'next\\_%'"


@pytest.fixture
def site(home_settings: Settings) -> Iterator[Loads]:
    with loads(home_settings) as made:
        yield made


def everything(site: Loads) -> list[tuple[object, ...]]:
    """All of raw, with the place of each row."""
    return site.all("select * from raw.events order by load_id, row_number") + site.all(
        "select * from raw.rejected_events order by load_id, row_number"
    )


def rebuild(site: Loads) -> None:
    rebuild_raw(site.lakehouse, site.now.date(), lambda _: None)


def fill(site: Loads) -> None:
    """Three days of loads, a file of two days of events, rejects, and a compaction."""
    for first in (1, 11, 21):
        bad = {first, first + 4}
        numbers = [n for n in range(first, first + 10) if n not in bad]
        site.lake.commit(first, first + 9, bad=bad)
        rows = [event(n, at=NOON - DAY * (n % 2), stream="file/ab/0") for n in numbers]
        site.lake.commit_rows(rows, [], first, first + 9, "file/ab/0")
        site.load()
        site.now += DAY
    site.lake.care(lowest=site.events.watermark)


def test_rows_keep_their_loads_their_numbers_and_their_days(site: Loads) -> None:
    fill(site)
    before = everything(site)
    site.now += 10 * DAY
    rebuild(site)

    assert everything(site) == before
    assert len({row[2] for row in before}) == 3, "three days of load"
    assert site.balanced()
    assert site.one(NEXT_TABLES) == 0


def test_what_a_hand_deleted_or_changed_is_as_it_was(site: Loads) -> None:
    fill(site)
    before = everything(site)
    site.connection.execute("delete from raw.events where row_number = 2")
    site.connection.execute("update raw.events set event_name = 'changed' where row_number = 3")
    site.connection.execute("drop table raw.rejected_events_20261125")
    rebuild(site)

    assert everything(site) == before


def test_rows_that_the_ledger_does_not_know_count_as_loaded_today(site: Loads) -> None:
    site.lake.commit(1, 5)
    site.load()
    site.lake.commit(6, 8)
    site.now += DAY
    rebuild(site)

    days = site.all("select load_day, count(*) from raw.events group by 1 order by 1")
    assert days == [(date(2026, 11, 24), 5), (date(2026, 11, 25), 3)]
    assert site.numbers() == list(range(1, 9))


def test_loading_goes_on_from_a_rebuild(site: Loads) -> None:
    fill(site)
    rebuild(site)
    site.lake.commit(31, 40)
    site.load()
    site.lake.care(lowest=site.events.watermark)
    site.load()

    assert site.balanced()
    assert [r for r in site.reasons() if r != "raw is made anew"] == []


def test_a_rebuild_after_a_rollback_holds_what_the_lake_holds(site: Loads) -> None:
    site.lake.commit(1, 5)
    target = site.lake.events.current_snapshot().snapshot_id
    site.lake.commit(6, 10)
    site.load()
    rollback(site.lake.catalog, target, "undo")
    rebuild(site)

    assert site.numbers() == [1, 2, 3, 4, 5]
    assert site.balanced()


def test_rows_that_were_set_aside_stay_so(site: Loads) -> None:
    rows = [event(n, user_id="a\0" if n == 3 else None) for n in range(1, 6)]
    site.lake.commit_rows(rows, [], 1, 5)
    site.load()
    before = everything(site)
    rebuild(site)

    assert everything(site) == before
    assert (site.events.rows, site.events.set_aside) == (4, 1)


def test_days_that_retention_dropped_do_not_come_back(site: Loads) -> None:
    fill(site)
    for table in ("events", "rejected_events"):
        drop_before(site.connection, table, date(2026, 11, 25), taken=10**6)
    left = everything(site)
    rebuild(site)

    assert everything(site) == left
    assert {row[2] for row in left} == {date(2026, 11, 25), date(2026, 11, 26)}


def test_days_that_retention_dropped_come_back_where_that_is_wished(site: Loads) -> None:
    fill(site)
    before = everything(site)
    for table in ("events", "rejected_events"):
        drop_before(site.connection, table, date(2026, 11, 25), taken=10**6)
    rebuild_raw(site.lakehouse, site.now.date(), lambda _: None, dropped_too=True)

    assert everything(site) == before
    assert site.one("select count(*) from tidelake.loads where dropped_at is not null") == 0
    assert site.balanced()


def test_days_that_were_brought_back_stay_until_silver_has_taken_them_since(site: Loads) -> None:
    site.now -= 10 * DAY
    fill(site)
    before = everything(site)
    window = "insert into tidelake.windows (from_load_id, to_load_id, timezone, status)"
    with connect(site.lakehouse.owner_url or "") as owner:
        owner.execute(f"{window} values (0, 1000, 'UTC', 'done')".encode())
        Retention(site.connection, days=1).look()
        assert everything(site) == []
        rebuild_raw(site.lakehouse, site.now.date(), lambda _: None, dropped_too=True)

        Retention(site.connection, days=1).look()
        assert everything(site) == before

        owner.execute("update tidelake.windows set started_at = now()")
        Retention(site.connection, days=1).look()
        assert everything(site) == []


def test_a_load_in_between_is_not_lost(site: Loads, monkeypatch: pytest.MonkeyPatch) -> None:
    """A loader that did not give way, such as one that slept past its lease."""
    fill(site)
    swap = Refill.swap

    def late(self: Refill) -> None:
        if self.table == "events":
            site.lake.commit(31, 40)
            site.load()
        swap(self)

    monkeypatch.setattr(Refill, "swap", late)
    with pytest.raises(FencedError, match="run the rebuild again"):
        rebuild(site)
    monkeypatch.setattr(Refill, "swap", swap)
    assert site.numbers()[-1] == 40

    rebuild(site)
    assert site.balanced()
    assert site.one(NEXT_TABLES) == 0


def test_one_rebuild_at_a_time(site: Loads) -> None:
    with closing(Lease(site.lakehouse.database_url, REBUILD, "another", 60)) as other:
        assert other.take()
        with pytest.raises(UsageError, match="already"):
            rebuild(site)


def test_readers_see_the_old_rows_until_the_new_ones_are_in_place(
    site: Loads, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(site)
    before = everything(site)
    seen = []

    def looked(self: Refill) -> None:
        seen.append(everything(site))
        swap(self)

    swap = Refill.swap
    monkeypatch.setattr(Refill, "swap", looked)
    rebuild(site)

    assert seen == [before, before]
    with closing(Lease(site.lakehouse.database_url, PART, "loader", 1)) as lease:
        assert not lease.taken(), "given back"


def test_a_view_on_raw_outlives_a_rebuild(site: Loads) -> None:
    site.lake.commit(1, 5)
    site.load()
    rebuild(site)

    owner = site.lakehouse.owner_url
    assert owner is not None
    with connect(owner) as connection:
        found = connection.execute("select count(*) from silver.raw_events").fetchone()
    assert found == (5,)
