"""Silver made anew: when it is by itself, and what becomes of a rebuild that does not end."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from tests.transform.conftest import Raw
from tests.transform.reading import asked, counted_days, trouble, windows

from tidelake.errors import SetupError, UnavailableError
from tidelake.pipeline import rebuild_silver as rebuilding
from tidelake.pipeline.rebuild_silver import clear_left_over, rebuild_silver, rebuild_where_needed
from tidelake.pipeline.silver import SilverMaker
from tidelake.pipeline.transformer import Transformer
from tidelake.pipeline.warehouse import Warehouse
from tidelake.transform.dbt import ModelError
from tidelake.transform.project import fingerprint, project_folder
from tidelake.warehouse import next_silver
from tidelake.warehouse.session import connect

New = Callable[..., Transformer]

GENERATIONS = "select distinct generation from tidelake.windows"
DEVELOPERS_VIEW = "create schema dev1; create view dev1.mine as select * from silver.repeats"
NEXT_SCHEMAS = "select nspname from pg_namespace where nspname like '%next'"


def nothing(_: str) -> None:
    """Nobody listens."""


def never() -> bool:
    return False


def change(path: Path, what: str) -> None:
    path.chmod(0o644)
    path.write_text(path.read_text("utf-8") + what)


def taken(make: New, raw: Raw) -> Transformer:
    """One that has made silver and gold of one load."""
    raw.load("a")
    ours = make()
    ours.cycle()
    return ours


def in_berlin(warehouse: Warehouse) -> Warehouse:
    transform = warehouse.settings.transform.model_copy(update={"timezone": "Europe/Berlin"})
    settings = warehouse.settings.model_copy(update={"transform": transform})
    return replace(warehouse, settings=settings)


def test_another_time_zone_makes_silver_and_gold_anew(
    make: New, warehouse: Warehouse, raw: Raw
) -> None:
    transformer = make()
    raw.load("late evening", at="2026-11-24 23:30+00")
    transformer.cycle()
    assert str(asked(transformer, "select day from gold.days")) == "2026-11-24"

    moved = make(in_berlin(warehouse))
    said: list[str] = []
    rebuild_where_needed(moved, said.append, never)
    moved.cycle()

    assert "Europe/Berlin" in said[0]
    assert str(asked(moved, "select day from gold.days")) == "2026-11-25"
    assert asked(moved, "select timezone from gold.publication") == "Europe/Berlin"


def test_a_rebuild_takes_the_place_of_silver_all_at_once(make: New, raw: Raw) -> None:
    transformer = make()
    raw.load("a", "b")
    raw.load("b", "c")
    transformer.cycle()
    raw.ask("delete from silver_pii.events")  # by hand: silver is damaged
    raw.load("d")

    rebuild_silver(transformer, nothing, never)
    transformer.cycle()

    assert raw.ask("select count(*) from silver_pii.events") == [(4,)]
    assert raw.ask("select distinct generation from tidelake.windows") == [(2,)]
    assert raw.ask("select nspname from pg_namespace where nspname like '%next'") == []
    assert counted_days(transformer) == 4
    assert raw.ask("select has_table_privilege('pii_reader', 'silver_pii.events', 'select')") == [
        (True,)
    ]


def test_a_rebuild_that_failed_changes_nothing_and_is_gone_on_from(make: New, raw: Raw) -> None:
    transformer = make()
    raw.load("a")
    transformer.cycle()
    small = transformer.warehouse.settings.transform.model_copy(update={"window_rows": 1})
    settings = transformer.warehouse.settings.model_copy(update={"transform": small})
    transformer.warehouse = replace(transformer.warehouse, settings=settings)
    raw.load("b", command="fail")
    with pytest.raises(ModelError):
        rebuild_silver(transformer, nothing, never)
    assert raw.ask("select count(*) from silver_pii.events") == [(1,)]
    assert raw.ask("select to_load_id, status from tidelake.windows_next order by 1") == [
        (1, "done"),
        (2, "failed"),
    ]

    raw.obey_no_more()
    said: list[str] = []
    rebuild_silver(transformer, said.append, never)
    transformer.cycle()

    assert said == [
        "going on from the rebuild that was not finished",
        "window (1, 2]: 1 new events, 0 repeats",
    ]
    assert raw.ask(NEXT_SCHEMAS) == []
    assert counted_days(transformer) == 2


def test_a_view_of_a_developer_keeps_silver_of_older_models_and_news_come(
    make: New, raw: Raw, project: Path
) -> None:
    taken(make, raw)
    raw.ask(DEVELOPERS_VIEW)
    change(project / "models" / "silver" / "repeats.sql", "\nwhere true\n")
    after, said = make(), list[str]()

    alert = rebuild_where_needed(after, said.append, never)
    raw.load("b")
    after.cycle()

    assert "these depend on it: view dev1.mine; drop them and make them again" in alert
    assert said == [], "nothing was built"
    assert counted_days(after) == 2
    with pytest.raises(SetupError, match=r"others depend on it: view dev1\.mine"):
        rebuild_silver(after, said.append, never)
    assert said == []
    raw.ask("drop view dev1.mine")
    assert rebuild_where_needed(after, said.append, never) == ""
    assert raw.ask(GENERATIONS) == [(2,)]


def test_a_view_that_keeps_days_of_another_zone_is_told_to_readers_of_gold(
    make: New, warehouse: Warehouse, raw: Raw
) -> None:
    taken(make, raw)
    raw.ask(DEVELOPERS_VIEW)
    moved, said = make(in_berlin(warehouse)), list[str]()

    for _ in range(2):
        with pytest.raises(SetupError, match=r"view dev1\.mine"):
            rebuild_where_needed(moved, said.append, never)

    assert "view dev1.mine" in trouble(moved)
    assert not [one for one in said if one.startswith("window")], "nothing was built"
    assert asked(moved, "select version from gold.publication") == 2, "said once"


def test_a_model_that_fails_in_a_rebuild_for_other_models_does_not_stop_news(
    make: New, raw: Raw, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken(make, raw)
    change(project / "models" / "silver" / "repeats.sql", "\nwhere true\n")
    raw.ask("update tiny.events set command = 'fail'")
    after, said = make(), list[str]()

    alert = rebuild_where_needed(after, said.append, never)
    raw.load("b")
    after.cycle()

    assert "making it anew fails: the model repeats of silver failed" in alert
    assert counted_days(after) == 2
    said.clear()
    assert rebuild_where_needed(after, said.append, never) == alert
    assert said == [], "not tried again at once"
    raw.obey_no_more()
    monkeypatch.setattr(after, "rebuild_after", 0.0)
    assert rebuild_where_needed(after, said.append, never) == ""
    assert "going on from the rebuild that was not finished" in said
    assert raw.ask(GENERATIONS) == [(2,)]


def test_a_change_of_silvers_models_makes_it_anew(make: New, raw: Raw, project: Path) -> None:
    before = make()
    for key in "ab":
        raw.load(key)
        before.cycle()
    change(project / "models" / "silver" / "repeats.sql", "\n-- in other words\n")
    said: list[str] = []
    assert rebuild_where_needed(make(), said.append, never) == ""
    assert said == []

    change(project / "models" / "silver" / "repeats.sql", "\nwhere true\n")
    after = make()
    assert rebuild_where_needed(after, said.append, never) == ""
    after.cycle()

    assert said[0] == "silver is made anew: its models have changed since"
    assert raw.ask(GENERATIONS) == [(2,)]
    assert counted_days(after) == 2
    rebuild_where_needed(after, said.append, never)
    assert raw.ask(GENERATIONS) == [(2,)], "once"


def test_silver_of_other_models_goes_on_and_says_so_where_raw_lacks_days(
    make: New, raw: Raw, project: Path
) -> None:
    taken(make, raw)
    raw.ask("update tidelake.loads set dropped_at = now()")
    change(project / "models" / "silver" / "repeats.sql", "\nwhere true\n")

    after = make()
    alert = rebuild_where_needed(after, nothing, never)
    raw.load("b")
    after.cycle()

    assert "`tidelake rebuild raw --all`, then `tidelake rebuild silver`" in alert
    assert rebuild_where_needed(after, nothing, never) == alert, "until it was made anew"
    assert counted_days(after) == 2
    raw.ask("update tidelake.loads set dropped_at = null")
    assert rebuild_where_needed(after, nothing, never) == ""
    assert raw.ask(GENERATIONS) == [(2,)]


def test_a_first_window_that_was_never_done_is_begun_anew_for_another_time_zone(
    make: New, warehouse: Warehouse, raw: Raw
) -> None:
    raw.load("late evening", command="fail", at="2026-11-24 23:30+00")
    with pytest.raises(ModelError):
        make().cycle()
    raw.obey_no_more()

    moved = make(in_berlin(warehouse))
    rebuild_where_needed(moved, nothing, never)
    moved.cycle()

    assert str(asked(moved, "select day from gold.days")) == "2026-11-25"


def test_a_reader_that_holds_silver_is_waited_for(
    transformer: Transformer, raw: Raw, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(next_silver, "LOCK_TIMEOUT", "100ms")
    monkeypatch.setattr(rebuilding, "STEP_BACK_S", 0.01)
    raw.load("a")
    transformer.cycle()
    said: list[str] = []

    with connect(raw.url) as reader:
        reader.execute("begin")
        reader.execute("select from silver_pii.events")

        def listen(what: str) -> None:
            said.append(what)
            if said[-2:-1] and "trying again" in said[-2]:
                reader.execute("rollback")

        rebuild_silver(transformer, listen, never)

    assert sum("readers hold silver's tables" in one for one in said) == 2
    assert "tidelake since 00:00:0" in said[-1]
    assert sum(one.startswith("window") for one in said) == 1
    assert raw.ask(GENERATIONS) == [(2,)]


def test_what_was_built_outlives_a_reader_that_does_not_end(
    transformer: Transformer, raw: Raw, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(next_silver, "LOCK_TIMEOUT", "100ms")
    monkeypatch.setattr(rebuilding, "HELD_FOR_S", -1.0)
    raw.load("a")
    transformer.cycle()
    with connect(raw.url) as reader:
        reader.execute("begin")
        reader.execute("select from silver_pii.events")
        with pytest.raises(UnavailableError, match="readers hold silver's tables"):
            rebuild_silver(transformer, nothing, never)
    raw.load("b")
    said: list[str] = []

    rebuild_silver(transformer, said.append, never)

    assert said == [
        "going on from the rebuild that was not finished",
        "window (1, 2]: 1 new events, 0 repeats",
    ]
    assert [row[:3] for row in windows(raw)] == [(0, 1, "done"), (1, 2, "done")]
    assert raw.ask("select count(*) from silver_pii.events") == [(2,)]


def test_a_rebuild_that_was_stopped_is_gone_on_from_unless_raw_lost_rows_since(
    transformer: Transformer, raw: Raw
) -> None:
    raw.load("a")
    transformer.cycle()
    with pytest.raises(UnavailableError, match="was stopped"):
        rebuild_silver(transformer, nothing, lambda: True)
    raw.ask(
        "insert into tidelake.reconciliations"
        " (table_name, sequence_number, reason, loaded, removed, highest_load_id)"
        " values ('events', 1, 'rolled back', 0, 1, 1)"
    )
    said: list[str] = []

    rebuild_silver(transformer, said.append, never)

    assert said == ["window (0, 1]: 1 new events, 0 repeats"]


def test_what_a_killed_rebuild_left_is_dropped_once_nobody_works_at_it(
    transformer: Transformer, raw: Raw, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw.load("a")
    transformer.cycle()
    next_silver.begin(raw.url, transformer.silver.models, "UTC")
    target = transformer.target("silver", suffix="_next")
    settings = transformer.warehouse.settings.transform
    with closing(
        SilverMaker(transformer.warehouse.database_url, target, settings, silver="next")
    ) as killed:
        assert killed.make_window(2) is not None

    clear_left_over(transformer)
    assert raw.ask("select count(*) from tidelake.windows_next") == [(1,)], "it may be gone on with"
    monkeypatch.setattr(rebuilding, "LEFT_OVER_AFTER_S", 0.0)
    with next_silver.alone(raw.url) as nobody_else:
        assert nobody_else
        clear_left_over(transformer)
    assert raw.ask("select count(*) from tidelake.windows_next") == [(1,)], "somebody builds it"

    clear_left_over(transformer)
    assert raw.ask("select count(*) from tidelake.windows_next") == [(0,)]
    assert raw.ask(NEXT_SCHEMAS) == []


def test_two_rebuilds_at_once_are_refused(transformer: Transformer, raw: Raw) -> None:
    raw.load("a")
    transformer.cycle()
    with (
        next_silver.alone(raw.url),
        pytest.raises(UnavailableError, match="another process rebuilds silver"),
    ):
        rebuild_silver(transformer, nothing, never)


def test_a_fingerprint_changes_with_what_models_do_and_not_with_words(tmp_path: Path) -> None:
    def of(model: str, yaml: str) -> str:
        folder = tmp_path / "models" / "silver"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "a.sql").write_text(model)
        (folder / "a.yml").write_text(yaml)
        return fingerprint(tmp_path, "silver")

    table = "models: [{name: a, columns: [{name: x, data_type: text, description: %s}]}]"
    first = of("select 1", table % "words")
    assert of("-- one\nselect 1\n{#- more\nwords -#}\n", table % "other words") == first
    assert of("select 2", table % "words") != first
    assert of("select 1", (table % "words").replace("text", "bigint")) != first
    assert fingerprint(project_folder(), "silver") != fingerprint(project_folder(), "gold")
