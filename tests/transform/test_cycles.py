"""Cycles over a tiny project: windows, publications, failures, kills."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tests.transform.conftest import Raw
from tests.transform.reading import counted_days, trouble, windows

from tidelake.pipeline.transformer import Transformer
from tidelake.pipeline.warehouse import Warehouse
from tidelake.transform.dbt import ModelError

New = Callable[..., Transformer]


def test_a_cycle_makes_one_window_and_publishes_it(transformer: Transformer, raw: Raw) -> None:
    raw.load("a", "b")
    raw.load("b", "c")

    cycle = transformer.cycle()

    assert windows(raw) == [(0, 2, "done", 4, 3, 1)]
    assert cycle.published is not None
    assert (cycle.published.version, cycle.published.to_load_id) == (1, 2)
    assert counted_days(transformer) == 3
    assert raw.ask("select version, to_load_id, events from tidelake.publications") == [(1, 2, 3)]
    assert not transformer.news()


def test_news_are_added_to_what_was_published(transformer: Transformer, raw: Raw) -> None:
    for number in range(3):
        raw.load("always", f"only {number}")
        transformer.cycle()

    assert windows(raw) == [
        (0, 1, "done", 2, 2, 0), (1, 2, "done", 2, 1, 1), (2, 3, "done", 2, 1, 1)
    ]  # fmt: skip
    assert counted_days(transformer) == 4
    assert sorted(transformer.folder.versions()) == [1, 2, 3]


def test_a_failed_model_leaves_the_last_gold_and_says_so(
    transformer: Transformer, raw: Raw
) -> None:
    raw.load("a")
    transformer.cycle()
    raw.load("b", command="fail")

    with pytest.raises(ModelError, match="repeats of silver failed") as caught:
        transformer.cycle()
    raw.load("c")
    with pytest.raises(ModelError):
        transformer.cycle()

    assert caught.value.model == "repeats"
    assert raw.ask("select from_load_id, to_load_id, failed_model from tidelake.windows") == [
        (0, 1, None),
        (1, 2, "repeats"),
    ]
    assert counted_days(transformer) == 1
    assert "told to fail" in trouble(transformer)

    raw.obey_no_more()
    transformer.cycle()
    transformer.cycle()

    assert [row[:3] for row in windows(raw)] == [(0, 1, "done"), (1, 2, "done"), (2, 3, "done")]
    assert counted_days(transformer) == 3
    assert trouble(transformer) == ""


def test_a_failed_model_of_gold_leaves_the_last_gold_and_says_so(
    transformer: Transformer, raw: Raw
) -> None:
    raw.load("a")
    transformer.cycle()
    raw.load("b")
    raw.ask("alter table silver_pii.events rename column event_key to other_key")
    raw.ask("alter table silver_pii.events add column event_key text")
    raw.ask("alter table silver_pii.events rename column day to another")

    with pytest.raises(ModelError):
        transformer.cycle()

    assert counted_days(transformer) == 1


def test_a_window_holds_as_many_loads_as_fit_and_one_at_least(
    make: New, warehouse: Warehouse, raw: Raw
) -> None:
    small = warehouse.settings.model_copy(
        update={"transform": warehouse.settings.transform.model_copy(update={"window_rows": 3})}
    )
    transformer = make(replace(warehouse, settings=small))
    for size in (2, 1, 1, 5, 0, 1):
        raw.load(*(f"{size}-{number}" for number in range(size)))

    cycles = []
    while (cycle := transformer.cycle()).window:
        cycles.append(cycle)

    assert [row[:2] for row in windows(raw)] == [(0, 2), (2, 3), (3, 4), (4, 6)]
    assert counted_days(transformer) == 8


def test_gold_that_was_deleted_is_made_again_from_silver(make: New, raw: Raw) -> None:
    before = make()
    for key in "abc":
        raw.load(key)
        before.cycle()
    for path in before.folder.versions().values():
        path.unlink()
    assert before.news()

    before.cycle()

    assert counted_days(before) == 3
    shutil.rmtree(before.folder.path)
    another = make()
    another.cycle()
    assert counted_days(another) == 3
    assert another.folder.current() == 5


def test_a_damaged_version_is_not_gone_on_from(make: New, raw: Raw) -> None:
    before = make()
    for key in "ab":
        raw.load(key)
        before.cycle()
    before.folder.file(2).write_bytes(b"no database")

    after = make()
    after.cycle()

    assert counted_days(after) == 2
    assert after.folder.current() == 3


def test_old_versions_go_and_the_newest_stay(make: New, warehouse: Warehouse, raw: Raw) -> None:
    few = warehouse.settings.transform.model_copy(update={"keep_versions": 2, "keep_min": 0.000001})
    transformer = make(
        replace(warehouse, settings=warehouse.settings.model_copy(update={"transform": few}))
    )
    for number in range(4):
        raw.load(str(number))
        transformer.cycle()

    assert sorted(transformer.folder.versions()) == [3, 4]


def test_two_runners_of_one_window_make_it_once(make: New, raw: Raw) -> None:
    one, other = make(), make()
    raw.load("a", "b", "a")
    window = one.silver.windows.begin(1000, "UTC")
    again = other.silver.windows.begin(1000, "UTC")
    assert window is not None
    assert again is not None
    assert (again.from_load_id, again.to_load_id) == (0, 1)

    one.silver._dbt.run(one.silver.values(window))
    other.cycle()

    assert windows(raw) == [(0, 1, "done", 3, 2, 1)]
    assert counted_days(other) == 2


def test_a_runner_that_slept_changes_nothing_when_it_wakes_up(make: New, raw: Raw) -> None:
    sleeper, other = make(), make()
    raw.load("a")
    window = sleeper.silver.windows.begin(1000, "UTC")
    assert window is not None
    other.cycle()
    raw.load("b")
    other.cycle()

    with pytest.raises(ModelError, match="is not open"):
        sleeper.silver._dbt.run(sleeper.silver.values(window))

    assert counted_days(other) == 2


def test_a_second_publisher_of_one_version_throws_its_file_away(make: New, raw: Raw) -> None:
    transformer = make()
    raw.load("a")
    raw.ask(
        "insert into tidelake.publications values (1, 7, 1, now(), 0, 0, 'gold-00000001.duckdb')"
    )

    cycle = transformer.cycle()

    assert cycle.published is not None
    assert cycle.published.version == 2


def test_data_tests_are_kept_with_what_they_said(transformer: Transformer, raw: Raw) -> None:
    raw.load("a")
    transformer.cycle()
    raw.ask("insert into silver.repeats select * from silver.repeats")

    tests = transformer.test()

    assert {(one.test.split("_")[0], one.status) for one in tests} == {
        ("unique", "fail"),
        ("not", "pass"),
    }
    assert [one.status for one in transformer.tested()] == ["fail", "pass"]


def test_nothing_is_written_into_the_project(
    transformer: Transformer, raw: Raw, project: Path
) -> None:
    before = sorted(project.rglob("*"))
    raw.load("a")

    transformer.cycle()

    assert sorted(project.rglob("*")) == before


def test_gold_of_other_models_is_made_anew(make: New, raw: Raw, project: Path) -> None:
    before = make()
    for key in "ab":
        raw.load(key)
        before.cycle()
    model = project / "models" / "gold" / "daily_traffic.sql"
    model.chmod(0o644)
    model.write_text(model.read_text("utf-8") + "\nand true\n")

    after = make()
    cycle = after.cycle()

    assert cycle.published is not None
    assert (cycle.published.from_load_id, counted_days(after)) == (0, 2)
