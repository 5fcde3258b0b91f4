"""The part `load` among others and in trouble: two at once, a database that goes, retention."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import date, timedelta

import psycopg
import pytest
from tests.pipeline.lakes import NOON, event
from tests.pipeline.loading import TODAY, Loads, loads

from tidelake import settings
from tidelake.errors import FencedError, IncompatibleError, SetupError, UnavailableError
from tidelake.pipeline import load as part
from tidelake.pipeline.load import Retention, loaders_of
from tidelake.pipeline.loader import Progress
from tidelake.pipeline.stopping import Stop
from tidelake.settings import Settings
from tidelake.warehouse.raw import ledger
from tidelake.warehouse.raw.reconcile import begin
from tidelake.warehouse.session import connect

WITHIN_S = 60


@pytest.fixture
def site(home_settings: Settings) -> Iterator[Loads]:
    with loads(home_settings) as made:
        yield made


def test_two_loaders_at_once_load_each_file_once(site: Loads, home_settings: Settings) -> None:
    """Neither lock nor lease here: as if both had slept past theirs."""
    for first in range(1, 201, 10):
        site.lake.commit(first, first + 9, bad={first})
    together = threading.Barrier(2)
    done = [Progress(), Progress()]

    def load(progress: Progress) -> None:
        with loads(home_settings) as other:
            together.wait()
            for loader in loaders_of(other.lakehouse, other.connection, progress):
                for _ in range(50):
                    loader.turn()

    threads = [threading.Thread(target=load, args=(progress,)) for progress in done]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WITHIN_S)

    site.load()
    assert sum(progress.loads for progress in done) == 40
    assert site.balanced()
    assert site.reasons() == []


def test_a_loader_that_slept_through_a_reconcile_is_refused(site: Loads) -> None:
    site.lake.commit(1, 5)
    site.load()
    site.lake.commit(6, 10)
    (_, sleeper) = loaders_of(site.lakehouse, site.connection, Progress())
    news = sleeper._follower.look(0)
    loading = sleeper._loading(news, site.events.epoch)
    begin(site.connection, "events")

    with pytest.raises(FencedError, match="another loader"):
        loading.load(news.fresh[-1])
    site.load()
    assert site.balanced()


def test_the_part_loads_and_ends_with_all_that_the_lake_holds(
    site: Loads, home_settings: Settings
) -> None:
    stop = Stop()
    running = threading.Thread(target=part.run, args=(home_settings, stop))
    running.start()
    try:
        site.lake.commit(1, 5)
        until(lambda: site.events.rows == 5)
        site.lake.commit(6, 10)
    finally:
        stop.set()
        running.join(WITHIN_S)
    assert site.numbers() == list(range(1, 11))
    assert site.one("select count(*) from tidelake.lease") == 0


def test_the_part_goes_on_when_its_connection_is_cut(site: Loads, home_settings: Settings) -> None:
    """As a restart of PostgreSQL cuts it."""
    stop = Stop()
    running = threading.Thread(target=part.run, args=(home_settings, stop))
    running.start()
    try:
        for first in range(1, 31, 10):
            site.lake.commit(first, first + 9)
            until(lambda last=first + 9: site.events.rows == last)
            with connect(home_settings.postgres.url) as owner:
                owner.execute(
                    "select pg_terminate_backend(pid) from pg_stat_activity "
                    "where usename = 'ingest' and pid <> %s and datname = current_database()",
                    (site.connection.info.backend_pid,),
                )
    finally:
        stop.set()
        running.join(WITHIN_S)
    assert site.balanced()


def test_a_wrong_password_says_what_to_mend(home_settings: Settings) -> None:
    wrong = home_settings.postgres.url.replace("@", "x@", 1)
    environ = {"TIDELAKE_POSTGRES_URL": wrong}
    with pytest.raises(SetupError, match="refuses") as raised:
        part.run(settings.load(environ, home=home_settings.home), Stop())
    assert wrong not in str(raised.value)


def test_a_column_of_another_type_is_named(site: Loads, home_settings: Settings) -> None:
    """An old schema, or a hand that changed it."""
    with connect(home_settings.postgres.url) as owner:
        owner.execute("drop view silver.raw_events")
        owner.execute("alter table raw.events alter column order_total type text")
    site.lake.commit(1, 2)
    with pytest.raises(IncompatibleError, match=r"raw\.events\.order_total is text"):
        site.load()


def test_a_full_disk_leaves_nothing_of_a_load(site: Loads, monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL's answer where a write finds no room, in the middle of a file."""
    site.lake.commit(1, 5)
    kept = ledger.record

    def full(*_: object) -> None:
        raise psycopg.errors.DiskFull("could not extend file: No space left on device")

    monkeypatch.setattr(ledger, "record", full)
    from tidelake.warehouse.session import translated

    with pytest.raises(UnavailableError, match="no disk space"), translated(None):
        site.load()
    assert (site.numbers(), site.events.files) == ([], 0)

    monkeypatch.setattr(ledger, "record", kept)
    site.load()
    assert site.balanced()


def test_days_are_dropped_when_they_are_over_and_silver_has_them(site: Loads) -> None:
    today = site.one("select (now() at time zone 'UTC')::date")
    for days_ago in (9, 8, 1, 0):
        site.now = TODAY.replace(year=today.year, month=today.month, day=today.day)
        site.now -= timedelta(days=days_ago)
        last = len(site.numbers())
        site.lake.commit(last + 1, last + 5)
        site.load()

    Retention(site.connection, 7).look()
    assert len(site.numbers()) == 20, "silver has nothing yet"

    silver_has(site, 1)
    Retention(site.connection, 7).look()
    assert days(site) == [today - timedelta(days=d) for d in (8, 1, 0)]

    silver_has(site, 4)
    Retention(site.connection, 7).look()
    Retention(site.connection, 0).look()
    assert days(site) == [today - timedelta(days=1), today]
    assert site.events.rows == 20, "the ledger keeps the counts"
    assert ledger.count_rows(site.connection) == ({"events": 10, "rejected_events": 0}, [])

    site.lake.commit(21, 25)
    site.load()
    assert site.reasons() == [], "what was dropped is not loaded again"


def test_a_reconcile_leaves_dropped_days_dropped(site: Loads) -> None:
    site.now -= timedelta(days=20)
    site.lake.commit(1, 5)
    site.load()
    silver_has(site, 1)
    site.now += timedelta(days=20)
    Retention(site.connection, 7).look()
    site.lake.commit(6, 10)
    site.connection.execute("update tidelake.load_totals set rows = rows - 1 where rows > 0")
    site.load()

    assert len(site.reasons()) == 1
    assert site.numbers() == [6, 7, 8, 9, 10]


def test_one_file_of_many_days_and_streams_is_reconciled_row_by_row(site: Loads) -> None:
    """A replay's file holds records of several streams, in no order."""
    rows = [event(n, at=NOON, stream=f"inbox/{n % 3}/0") for n in (9, 4, 7, 2)]
    site.lake.commit_rows(rows, [], 1, 4, "replay/1")
    site.lake.commit(1, 3)
    site.load()
    site.connection.execute("delete from tidelake.loaded_records")
    site.connection.execute("delete from tidelake.loads")
    site.connection.execute("truncate raw.events")
    site.connection.execute("update tidelake.load_totals set rows = 0, files = 0, set_aside = 0")
    site.lake.care()
    site.load()

    assert sorted(site.positions()) == sorted(
        [f"inbox/{n % 3}/0/{n}" for n in (9, 4, 7, 2)] + [f"inbox/7d0c/0/{n}" for n in (1, 2, 3)]
    )


def until(true: object) -> None:
    import time

    assert callable(true)
    deadline = time.monotonic() + WITHIN_S
    while not true():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.05)


def silver_has(site: Loads, load_id: int) -> None:
    assert site.lakehouse.owner_url is not None
    with connect(site.lakehouse.owner_url) as owner:
        owner.execute("delete from tidelake.windows")
        owner.execute(
            "insert into tidelake.windows (from_load_id, to_load_id, timezone, status) "
            "values (0, %s, 'UTC', 'done')",
            (load_id,),
        )


def days(site: Loads) -> list[date]:
    return [d for (d,) in site.all("select distinct load_day from raw.events order by 1")]
