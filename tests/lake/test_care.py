"""Compaction, tags, expiry and removal: fewer files, the same rows, nothing taken from a reader."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from tidelake.lake.care import Carer, TableReport
from tidelake.lake.entries import Manifests, files_after, live_files
from tidelake.lake.positions import counts, positions
from tidelake.lake.swap import Swapper
from tidelake.lake.travel import Tag
from tidelake.settings import Care

STREAM = "inbox/7d0c/0"
CARE = Care(min_files=4, keep_snapshots=5)
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def nobody(_: str) -> int | None:
    """No consumer is registered."""
    return None


def later(hours: float = 0) -> datetime:
    """A time at which every snapshot made so far is older than any reader."""
    return datetime.now(UTC) + timedelta(minutes=5, hours=hours)


def look(
    lake: Any,
    now: datetime | None = None,
    care: Care = CARE,
    watermarks: Callable[[str], int | None] = nobody,
) -> TableReport:
    """One look of care; gives what it did to events."""
    return Carer(lake.open(), care, watermarks).once(now or later())[1]


def commit(lake: Any, times: int, **options: Any) -> None:
    committer = lake.committer()
    start = positions(lake.events.properties).get(STREAM, 0)
    for n in range(start, start + 3 * times, 3):
        committer.commit([lake.range(n + 1, n + 3, **options)])


def sorted_rows(table: Any) -> pa.Table:
    return table.scan().to_arrow().sort_by("source_position")


TODAY = datetime.now(UTC)


def test_small_files_of_a_day_become_one_with_the_same_rows(lake: Any) -> None:
    commit(lake, 5, at=TODAY)
    before = sorted_rows(lake.events)
    report = look(lake)

    assert [(day, files) for day, files, _ in report.rewrites] == [(TODAY.date(), 5)]
    assert len(live_files(lake.events)) == 1
    assert sorted_rows(lake.events).equals(before)
    assert positions(lake.events.properties) == {STREAM: 15}
    assert counts(lake.events.properties)["events"] == 15


def test_a_compaction_is_a_replace_snapshot_of_files_that_loaders_pass_over(lake: Any) -> None:
    commit(lake, 4, at=TODAY)
    look(lake)
    [file] = live_files(lake.events)

    assert lake.events.metadata.current_snapshot().summary.operation.value == "replace"
    assert Path(file.location).name.startswith("c-")
    assert file.sequence_number == 5
    assert list(files_after(lake.events, 0)) == []


def test_too_few_files_are_left_as_they_are(lake: Any) -> None:
    commit(lake, 3, at=TODAY)

    assert look(lake).rewrites == []


def test_files_above_the_lowest_watermark_are_left_as_they_are(lake: Any) -> None:
    commit(lake, 9, at=TODAY)
    look(lake, watermarks=lambda _: 4)

    assert [file.sequence_number for file in files_after(lake.events, 4)] == [5, 6, 7, 8, 9]
    assert lake.numbers() == list(range(1, 28))


def test_a_day_that_is_over_becomes_one_sorted_file(lake: Any) -> None:
    committer = lake.committer()
    committer.commit([lake.range(1, 5)])
    committer.commit([lake.range(6, 8)])
    before = sorted_rows(lake.events)
    look(lake, NOON + timedelta(days=2))
    [file] = live_files(lake.events)

    assert file.sort_order == 1
    assert sorted_rows(lake.events).equals(before)
    assert look(lake, NOON + timedelta(days=2)).rewrites == []


def test_a_sorted_file_has_rows_of_one_user_together(
    lake: Any, make_rows: Any, make_event: Any
) -> None:
    from tidelake.event.contract import EVENTS

    for last in (15, 30):
        rows = [make_event(STREAM, n, user_id=f"user_{n % 3}") for n in range(last - 14, last + 1)]
        lake.store_and_commit(EVENTS, make_rows(EVENTS, rows), 15, stream=f"file/{last}/0")
    look(lake, NOON + timedelta(days=2))
    [file] = live_files(lake.events)
    users = pa.parquet.read_table(Path(file.location.removeprefix("file://")))["user_id"]

    assert users.to_pylist() == sorted(users.to_pylist())


def test_a_small_file_that_is_alone_in_its_day_is_left_as_it_is(
    lake: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tidelake.lake.care import plan

    lake.committer().commit([lake.range(1, 5)])
    assert look(lake, NOON + timedelta(days=2)).rewrites == []

    monkeypatch.setattr(plan, "WORTH_SORTING_BYTES", 1)
    look(lake, NOON + timedelta(days=2))
    assert [file.sort_order for file in live_files(lake.events)] == [1]
    assert look(lake, NOON + timedelta(days=2)).rewrites == []


def many_days(lake: Any, days: int) -> None:
    """Two files in each of some days that are over."""
    committer = lake.committer()
    for n in range(2 * days):
        committer.commit([lake.range(n + 1, n + 1, at=NOON - timedelta(days=n // 2))])


def test_small_days_of_a_long_history_are_rewritten_in_one_snapshot(lake: Any) -> None:
    many_days(lake, 4)
    before = sorted_rows(lake.events)
    report = look(lake, NOON + timedelta(days=2), Care(keep_snapshots=100))

    assert [files for _, files, _ in report.rewrites] == [2, 2, 2, 2]
    assert len(lake.events.metadata.snapshots) == 8 + 1
    assert len(live_files(lake.events)) == 4
    assert sorted_rows(lake.events).equals(before)


def test_a_look_rewrites_only_so_much_and_the_next_goes_on(
    lake: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tidelake.lake.care import run

    monkeypatch.setattr(run, "MOST_REWRITES", 2)
    many_days(lake, 3)
    first = look(lake, NOON + timedelta(days=2))
    second = look(lake, NOON + timedelta(days=2))

    assert (len(first.rewrites), first.put_off) == (2, 1)
    assert first.tags
    assert (len(second.rewrites), second.put_off) == (1, 0)
    assert lake.numbers() == list(range(1, 7))


def test_a_look_that_is_told_to_stop_keeps_what_it_has_rewritten(lake: Any) -> None:
    many_days(lake, 3)
    said = iter([False] * 4)  # rejects begin and end, events begin, and their first rewrite
    carer = Carer(lake.open(), CARE, nobody)
    report = carer.once(NOON + timedelta(days=2), lambda: next(said, True))[1]

    assert len(report.rewrites) == 1
    assert report.expired == 0
    assert len(live_files(lake.events)) == 5
    assert lake.numbers() == list(range(1, 7))


def test_more_rows_than_memory_holds_are_sorted_in_buckets(
    make_rows: Any, make_event: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tidelake.event.contract import EVENTS
    from tidelake.lake.care import sort

    users = [f"user_{n * 7 % 13}" if n % 5 else None for n in range(200)]
    table = make_rows(EVENTS, [make_event(STREAM, n, user_id=u) for n, u in enumerate(users)])
    keys = ("user_id", "event_time")
    monkeypatch.setattr(sort, "BUCKET_BYTES", table.nbytes // 9)
    batches = sort.in_order(
        lambda names: iter(table.select(names).to_batches(max_chunksize=30)), table.schema, keys
    )
    ordered = pa.Table.from_batches(list(batches), table.schema)

    by = [(key, "ascending") for key in keys]
    assert ordered.to_pylist() == table.sort_by(by).to_pylist()


def test_the_last_snapshots_and_the_tags_stay_and_the_rest_goes(lake: Any) -> None:
    commit(lake, 12)
    first = lake.events.metadata.snapshots[0].snapshot_id
    with_tag = Swapper(lake.catalog, "events").swap(Tag("before-the-sale", first))
    look(lake)

    kept = {snapshot.snapshot_id for snapshot in lake.events.metadata.snapshots}
    assert len(kept) == 5 + 1
    assert with_tag.metadata.refs["before-the-sale"].snapshot_id == first
    assert first in kept
    assert lake.numbers() == list(range(1, 37))


def test_only_files_that_no_snapshot_reaches_are_removed(lake: Any) -> None:
    commit(lake, 4, at=TODAY)
    look(lake)
    at_tag = lake.events.metadata.refs[sorted(lake.events.metadata.refs)[0]].snapshot_id
    commit(lake, 12, at=TODAY)
    for _ in range(3):
        look(lake)

    rows = lake.events.scan(snapshot_id=at_tag).to_arrow().num_rows
    data = {p.name for p in (lake.warehouse / "events_db/events/data").rglob("*.parquet")}
    reached = {
        Path(file.location).name
        for snapshot in lake.events.metadata.snapshots
        for file in live_files(lake.events, snapshot)
    }
    assert rows == 12
    assert data == reached
    assert lake.numbers() == list(range(1, 49))


def test_tags_go_when_their_time_is_over(lake: Any) -> None:
    commit(lake, 2)
    look(lake, datetime(2026, 11, 20, 12, 30, tzinfo=UTC))
    assert set(lake.events.metadata.refs) == {"main", "hourly-2026-11-20T12", "daily-2026-11-20"}
    look(lake, datetime(2026, 11, 21, 13, 30, tzinfo=UTC))
    assert set(lake.events.metadata.refs) == {
        "main",
        "hourly-2026-11-21T13",
        "daily-2026-11-20",
        "daily-2026-11-21",
    }


def test_a_replace_snapshot_stays_until_every_consumer_has_passed_it(lake: Any) -> None:
    commit(lake, 4, at=TODAY)
    look(lake, watermarks=lambda _: 4)
    replaced = lake.events.metadata.current_snapshot_id
    commit(lake, 10, at=TODAY)
    care = Care(keep_snapshots=2, hourly_tags_h=0, daily_tags_days=0)

    look(lake, later(100), care, watermarks=lambda _: 4)
    assert lake.events.metadata.snapshot_by_id(replaced) is not None
    look(lake, later(200), care, watermarks=lambda _: 5)
    assert lake.events.metadata.snapshot_by_id(replaced) is None


def test_orphans_go_once_they_are_older_than_any_queue(lake: Any) -> None:
    commit(lake, 2)
    orphan = lake.range(7, 9).files[0]
    path = Path(orphan.location.removeprefix("file://"))
    care = Care(orphan_age_h=72)
    assert look(lake, later(48), care).orphans == 0
    assert path.exists()

    report = look(lake, later(100), care)
    assert report.orphans >= 1
    assert not path.exists()
    assert lake.numbers() == [1, 2, 3, 4, 5, 6]


def test_a_compaction_whose_inputs_were_replaced_meanwhile_is_dropped(lake: Any) -> None:
    from tidelake.errors import FencedError
    from tidelake.lake.care.replace import Replace

    commit(lake, 4, at=TODAY)
    inputs = tuple(live_files(lake.events))
    stored = lake.range(1, 12, at=TODAY).files[:1]
    look(lake)

    with pytest.raises(FencedError, match="4 files were replaced by another"):
        Swapper(lake.catalog, "events").swap(Replace(inputs, stored, Manifests(lake.events.io)))
    assert lake.numbers() == list(range(1, 13))


def test_an_append_between_plan_and_swap_of_a_compaction_stays(lake: Any) -> None:
    from tidelake.lake.care.replace import Replace

    commit(lake, 4, at=TODAY)
    inputs = tuple(live_files(lake.events))
    stored = lake.range(1, 12, at=TODAY).files[:1]
    pending = [1]

    def meanwhile(_: Any) -> None:
        if pending:
            pending.pop()
            commit(lake, 1, at=TODAY)

    Swapper(lake.catalog, "events", before_swap=meanwhile).swap(
        Replace(inputs, stored, Manifests(lake.events.io))
    )
    assert lake.numbers() == list(range(1, 16))
