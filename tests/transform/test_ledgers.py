"""The ledgers of windows and publications stay short and keep their sums."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tests.transform.conftest import Raw
from tests.transform.reading import counted_days, windows

from tidelake.pipeline.transformer import Transformer
from tidelake.pipeline.warehouse import Warehouse
from tidelake.warehouse.publications import Publication, Publications
from tidelake.warehouse.windows import Windows


def test_old_windows_become_one_with_their_sums(warehouse: Warehouse, raw: Raw) -> None:
    made = Windows(warehouse.database_url)
    for number in range(4):
        raw.load(f"{number}", "again")
        window = made.begin(1000, "UTC")
        assert window is not None
        made.done(window, new_events=1, repeats=1)
    raw.ask("update tidelake.windows set finished_at = '2026-01-01' where to_load_id <= 3")

    assert made.merge(datetime(2026, 2, 1, tzinfo=UTC), rows=1000) == 3

    assert windows(raw) == [(0, 3, "done", 6, 3, 3), (3, 4, "done", 2, 1, 1)]
    assert made.events(0, 4) == 4
    assert not made.news()
    made.close()


def test_windows_are_merged_to_what_gold_can_take_at_once(warehouse: Warehouse, raw: Raw) -> None:
    made = Windows(warehouse.database_url)
    for number in range(7):
        raw.load(f"{number}", "again")
        window = made.begin(1000, "UTC")
        assert window is not None
        made.done(window, new_events=1, repeats=1)
        raw.ask("update tidelake.windows set finished_at = '2026-01-01'")
        made.merge(datetime(2026, 2, 1, tzinfo=UTC), rows=4)

    assert windows(raw) == [
        (0, 2, "done", 4, 2, 2),
        (2, 4, "done", 4, 2, 2),
        (4, 6, "done", 4, 2, 2),
        (6, 7, "done", 2, 1, 1),
    ]
    assert made.merge(datetime(2026, 2, 1, tzinfo=UTC), rows=4) == 0
    made.close()


def test_old_publications_are_forgotten_but_for_the_latest(warehouse: Warehouse, raw: Raw) -> None:
    known, now = Publications(warehouse.database_url), datetime(2026, 11, 24, tzinfo=UTC)
    for version, days in ((1, 60), (2, 40), (3, 35)):
        at = now - timedelta(days=days)
        assert known.insert(Publication(version, version, 1, at, 0, 0, f"{version}"))

    assert known.prune(now - timedelta(days=31)) == 2

    latest = known.latest()
    assert latest is not None
    assert latest.version == 3
    known.close()


def test_a_window_that_was_begun_keeps_its_bounds_whatever_is_loaded_meanwhile(
    warehouse: Warehouse, raw: Raw
) -> None:
    one, other = Windows(warehouse.database_url), Windows(warehouse.database_url)
    raw.load("a")
    begun = one.begin(1000, "UTC")
    raw.load("b")

    again = other.begin(1000, "UTC")

    assert begun is not None
    assert again is not None
    assert (again.from_load_id, again.to_load_id) == (begun.from_load_id, begun.to_load_id)
    other.done(again, 1, 0)
    following = one.begin(1000, "UTC")
    assert following is not None
    assert (following.from_load_id, following.to_load_id) == (1, 2)
    one.close()
    other.close()


def test_rows_that_raw_lost_between_two_tries_of_a_window_are_known(
    warehouse: Warehouse, raw: Raw
) -> None:
    made = Windows(warehouse.database_url)
    raw.load("a", "b")
    window = made.begin(1000, "UTC")
    assert window is not None
    made.failed(window, "orders", "after events were made of it")
    raw.ask(
        "insert into tidelake.reconciliations"
        " (table_name, sequence_number, reason, loaded, removed, highest_load_id)"
        " values ('events', 1, 'rolled back', 0, 1, 1)"
    )
    again = made.begin(1000, "UTC")
    assert again is not None
    made.done(again, 2, 0)

    assert made.lost_rows() == "rolled back"
    made.close()


def test_gold_is_not_gone_on_from_where_changes_were_put_together_since(
    transformer: Transformer, raw: Raw
) -> None:
    for key in "ab":
        raw.load(key)
        transformer.cycle()
    raw.load("c")
    transformer.cycle(gold=False)
    raw.ask("update tidelake.windows set compacted = true where to_load_id <= 2")
    at_their_end = transformer.cycle().published
    raw.load("d")
    transformer.cycle(gold=False)
    raw.ask("update tidelake.windows set compacted = true")
    before_their_end = transformer.cycle().published

    assert at_their_end is not None
    assert before_their_end is not None
    assert (at_their_end.from_load_id, before_their_end.from_load_id) == (2, 0)
    assert counted_days(transformer) == 4
