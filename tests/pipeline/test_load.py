"""The lake's rows come to raw once each, whatever becomes of the lake meanwhile."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.pipeline.lakes import NOON, event
from tests.pipeline.loading import Loads, loads, path_of

from tidelake.errors import UnavailableError
from tidelake.event.contract import EVENTS, REJECTED
from tidelake.lake.entries import files_after, live_files
from tidelake.lake.evolve import add_column
from tidelake.lake.travel import rollback
from tidelake.pipeline import loader
from tidelake.settings import Settings
from tidelake.warehouse.raw import ledger, reconcile


@pytest.fixture
def site(home_settings: Settings) -> Iterator[Loads]:
    with loads(home_settings) as made:
        yield made


def test_rows_of_both_tables_come_to_raw_in_the_order_of_the_lake(site: Loads) -> None:
    site.lake.commit(1, 10, bad={3, 4})
    site.lake.commit(11, 20)

    site.load()

    assert site.numbers() == [1, 2, *range(5, 21)]
    assert site.numbers("rejected_events") == [3, 4]
    assert site.all("select load_id, row_number from raw.events order by 1, 2 limit 2") == [
        (2, 1),
        (2, 2),
    ]
    assert site.events.watermark == site.lake.events.current_snapshot().sequence_number
    assert site.balanced()


def test_a_second_look_and_a_loader_that_was_started_again_add_nothing(site: Loads) -> None:
    for first in (1, 11):
        site.lake.commit(first, first + 9)
        site.load()
        site.load()

    assert site.numbers() == list(range(1, 21))
    assert site.progress.loads == 2


def test_every_value_of_every_type_is_in_raw_as_it_is_in_the_lake(site: Loads) -> None:
    site.lake.commit_rows([event(1, **FULL), event(2)], [], 1, 2)
    site.load()

    names = ", ".join(f'"{name}"' for name in EVENTS.names)
    found = site.all(f"select {names} from raw.events order by row_number")
    wanted = site.lake.events.scan().to_arrow().select(EVENTS.names).to_pylist()
    assert [tuple(row.values()) for row in wanted] == found


FULL: dict[str, Any] = {
    "user_id": "ü \U0001f600 \u2028 \\N \t\n\"'",
    "event_time": NOON + timedelta(microseconds=123_457),
    "quality_flags": ["wrong_type:order_total", "", 'a"b', "NULL", "{,}"],
    "session_info_duration": 0.1 + 0.2,
    "session_info_pages_visited": -(2**63),
    "session_info_is_new_session": False,
    "order_total": -1.5e-300,
    "traits": '{"a": [1, null]}',
    "items": "",
    "_doc_at": 2**63 - 1,
}


def test_a_rejected_record_keeps_its_bytes(site: Loads) -> None:
    site.lake.commit(1, 2, bad={2})
    site.load()

    assert site.all("select body from raw.rejected_events") == [(b"{broken \x00 2",)]


def test_files_of_one_commit_move_the_watermark_only_when_all_are_loaded(
    site: Loads, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A crash between them must not leave one behind a watermark."""
    monkeypatch.setattr(loader, "FILES_A_SYNC", 1)
    rows = [event(n, at=NOON - timedelta(days=n)) for n in range(1, 6)]
    site.lake.commit_rows(rows, [], 1, 5)
    (missing, *_) = sorted(live_files(site.lake.events), key=lambda f: f.location)[2:]
    gone = path_of(missing.location)
    kept = gone.rename(gone.with_suffix(".away"))

    with pytest.raises(UnavailableError, match=re.escape(missing.location)):
        site.load()
    assert len(site.numbers()) == 2
    assert site.events.watermark == 0

    kept.rename(gone)
    site.load()
    assert site.numbers() == [1, 2, 3, 4, 5]
    assert site.balanced()


def test_a_damaged_file_holds_back_what_came_later_until_it_is_mended(site: Loads) -> None:
    site.lake.commit(1, 5)
    site.lake.commit(6, 9, bad={9})
    (first, _) = live_files(site.lake.events)
    path = path_of(first.location)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])

    with pytest.raises(UnavailableError, match="can not be read"):
        site.load()
    assert site.numbers() == []
    assert site.numbers("rejected_events") == [9], "the other table goes on"

    path.write_bytes(whole)
    site.load()
    assert site.numbers() == list(range(1, 9))
    assert site.balanced()


def test_care_may_rewrite_what_is_loaded_and_nothing_comes_twice(site: Loads) -> None:
    site.lake.commit(1, 5)
    site.lake.commit(6, 10)
    site.load()
    site.lake.commit(11, 15)
    reports = site.lake.care(lowest=site.events.watermark)
    site.load()
    site.lake.care(lowest=site.events.watermark)
    site.load()

    assert any(report.rewrites for report in reports)
    assert site.numbers() == list(range(1, 16))
    assert site.reasons() == []
    assert site.balanced()


def test_a_lake_that_was_compacted_before_there_was_a_loader_is_loaded_whole(site: Loads) -> None:
    site.lake.commit(1, 5)
    site.lake.commit(6, 10)
    site.lake.care()
    assert list(files_after(site.lake.events, 0)) == []

    site.load()
    site.lake.commit(11, 12)
    site.load()

    assert site.numbers() == list(range(1, 13))
    assert site.balanced()


def test_rows_that_were_rewritten_before_they_were_loaded_are_found_by_their_records(
    site: Loads,
) -> None:
    """Another engine compacts without asking how far the loader is."""
    site.lake.commit(1, 5)
    site.load()
    site.lake.commit(6, 10)
    site.lake.commit(11, 15)
    site.lake.care()
    site.load()

    assert site.numbers() == list(range(1, 16))
    assert len(site.reasons()) == 1
    assert site.balanced()


def test_a_rollback_takes_its_rows_out_of_raw(site: Loads) -> None:
    site.lake.commit(1, 5)
    target = site.lake.events.current_snapshot().snapshot_id
    site.lake.commit(6, 10)
    site.load()
    site.lake.care(lowest=site.events.watermark)
    rollback(site.lake.catalog, target, "undo")
    site.lake.commit(11, 15)
    site.load()

    assert site.numbers() == [*range(1, 6), *range(11, 16)]
    assert "rolled back" in site.reasons()[0]
    assert site.one("select highest_load_id from tidelake.reconciliations") == 2
    assert site.balanced()


def killed(*_: object) -> None:
    raise UnavailableError("killed before its end")


def test_a_comparison_that_is_broken_off_has_told_what_it_removed(
    site: Loads, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.lake.commit(1, 5)
    target = site.lake.events.current_snapshot().snapshot_id
    site.lake.commit(6, 10)
    site.load()
    rollback(site.lake.catalog, target, "undo")
    monkeypatch.setattr(reconcile, "_finish", killed)
    with pytest.raises(UnavailableError, match="killed"):
        site.load()
    monkeypatch.undo()
    site.load()

    told = "select removed, highest_load_id from tidelake.reconciliations where removed > 0"
    assert site.all(told) == [(5, 2)]
    assert site.balanced()


def test_rows_that_a_second_rollback_brings_back_are_loaded_again(site: Loads) -> None:
    site.lake.commit(1, 5)
    target = site.lake.events.current_snapshot().snapshot_id
    site.lake.commit(6, 10)
    before = site.lake.events.current_snapshot().snapshot_id
    site.load()
    rollback(site.lake.catalog, target, "undo")
    site.load()
    assert site.numbers() == [1, 2, 3, 4, 5]

    rollback(site.lake.catalog, before, "undo the undoing")
    site.load()

    assert site.numbers() == list(range(1, 11))
    assert site.balanced()


def test_as_many_rows_lost_as_gained_are_noticed_all_the_same(site: Loads) -> None:
    site.lake.commit(1, 5)
    target = site.lake.events.current_snapshot().snapshot_id
    site.lake.commit(6, 10)
    site.load()
    rollback(site.lake.catalog, target, "undo")
    with site.lake.events.transaction() as transaction:
        transaction.remove_properties("tidelake.reconcile-from")
    site.lake.committer.start_positions()
    site.lake.commit(11, 15)
    site.load()

    assert site.numbers() == [*range(1, 6), *range(11, 16)]
    assert site.balanced()


def test_rows_that_another_engine_deletes_leave_raw(site: Loads) -> None:
    site.lake.commit(1, 5)
    site.lake.commit(6, 10)
    site.load()
    site.lake.events.delete("event_id in ('e2', 'e7')")
    site.load()

    assert site.numbers() == [1, 3, 4, 5, 6, 8, 9, 10]
    assert site.balanced()


def test_a_lost_watermark_or_a_lost_ledger_row_doubles_nothing(site: Loads) -> None:
    site.lake.commit(1, 5)
    site.lake.commit(6, 10)
    site.load()
    site.connection.execute("delete from tidelake.consumers")
    site.load()
    assert site.numbers() == list(range(1, 11))

    site.connection.execute("update tidelake.consumers set sequence_number = 0")
    site.lake.commit(11, 12)
    site.load()
    assert site.numbers() == list(range(1, 13))
    assert site.balanced()


def test_a_column_that_was_added_to_the_lake_comes_to_raw(site: Loads) -> None:
    site.lake.commit(1, 2)
    site.load()
    add_column(site.lake.catalog, ".order.total", "double", "select")
    site.lake.commit(3, 4, select=1.5)
    site.load()

    assert site.all('select "select" from raw.events order by load_id, row_number') == [
        (None,),
        (None,),
        (1.5,),
        (1.5,),
    ]
    assert site.balanced()


def test_a_row_that_postgresql_refuses_is_set_aside_and_its_file_goes_on(site: Loads) -> None:
    site.lake.commit_rows(
        [event(n, user_id="a\0b" if n in (3, 700) else None) for n in range(1, 1001)],
        [],
        1,
        1000,
    )
    site.load()

    assert len(site.numbers()) == 998
    assert (site.events.rows, site.events.set_aside) == (998, 2)
    found = site.all(
        "select row_number, source_position, record ->> 'user_id' from tidelake.set_aside "
        "order by row_number"
    )
    assert found == [(3, "inbox/7d0c/0/3", "a\\u0000b"), (700, "inbox/7d0c/0/700", "a\\u0000b")]
    assert "0x00" in site.one("select reason from tidelake.set_aside limit 1")
    site.lake.commit(1001, 1002)
    site.load()
    assert site.reasons() == [], "what was set aside is in the books"


def test_hostile_parquet_costs_the_rows_that_are_wrong(site: Loads) -> None:
    """Values that our own writer never writes: no UTF-8, times beyond PostgreSQL's, nulls."""
    site.lake.commit(1, 6)
    (file,) = live_files(site.lake.events)
    path = path_of(file.location)
    table = pq.read_table(path)
    for name, row, value in (
        ("user_id", 0, pa.array([b"\xff\xfe"]).view(pa.string())),
        ("event_time", 1, pa.array([-(2**62)]).cast(pa.timestamp("us", tz="UTC"))),
        ("event_time", 2, pa.array([-(2**63)]).cast(pa.timestamp("us", tz="UTC"))),
        ("event_type", 3, pa.array([None], pa.string())),
    ):
        at = table.schema.get_field_index(name)
        column = table.column(at).combine_chunks()
        mixed = pa.concat_arrays([column.slice(0, row), value, column.slice(row + 1)])
        table = table.set_column(at, pa.field(name, mixed.type), mixed)
    pq.write_table(table, path, store_schema=False)

    site.load()

    assert site.numbers() == [5, 6]
    assert site.events.set_aside == 4


def test_days_of_load_are_partitions(site: Loads) -> None:
    site.lake.commit(1, 2)
    site.load()
    site.now += timedelta(days=1)
    site.lake.commit(3, 5)
    site.load()

    assert site.all(
        "select tableoid::regclass::text, count(*) from raw.events group by 1 order by 1"
    ) == [
        ("raw.events_20261124", 2),
        ("raw.events_20261125", 3),
    ]


def test_a_backfill_of_many_days_is_loaded_file_by_file(site: Loads) -> None:
    for first in (1, 101):
        numbers = range(first, first + 100)
        rows = [event(n, at=NOON - timedelta(days=n)) for n in numbers]
        site.lake.commit_rows(rows, [], first, first + 99)
    site.load()

    assert site.numbers() == list(range(1, 201))
    assert site.progress.loads == 200
    assert site.balanced()


def test_ids_of_loads_come_in_the_order_of_commits_over_both_tables(site: Loads) -> None:
    for first in (1, 11, 21):
        site.lake.commit(first, first + 9, bad={first})
        site.load()

    found = site.all("select load_id, table_name from tidelake.loads order by loaded_at")
    assert [load_id for load_id, _ in found] == list(range(1, 7))
    assert [name for _, name in found[:2]] == [REJECTED.table, EVENTS.table]
    assert site.one("select last from tidelake.load_counter") == 6


def test_a_row_deleted_by_hand_is_named_by_its_load(site: Loads) -> None:
    site.lake.commit(1, 5)
    site.lake.commit(6, 10)
    site.load()
    site.connection.execute("delete from raw.events where source_position like '%/7'")

    counted, wrong = ledger.count_rows(site.connection)
    assert counted["events"] == 9
    assert [(w.table, w.load_id, w.expected, w.found) for w in wrong] == [("events", 2, 5, 4)]
