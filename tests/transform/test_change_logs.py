"""Silver's logs of changes stay as short as what they tell of, and gold is the same."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from tests.parsed_once import ParsedOnce
from tests.silver.stand import processed
from tests.silver.test_windows import lines
from tests.transform.whole import Whole, whole

from tidelake.errors import UnavailableError
from tidelake.pipeline import transformer as joined
from tidelake.pipeline.transform_once import rebuild_gold
from tidelake.pipeline.warehouse import Warehouse

LOADS = 6

#: What says when a version was made, or of what the ledgers hold besides events.
OF_THE_MAKING = ("publication", "pipeline_health", "books")


def everything(transformer: Whole) -> dict[str, list[str]]:
    """All that the published gold answers with."""
    version = transformer.folder.current()
    assert version is not None
    with duckdb.connect(str(transformer.folder.file(version)), read_only=True) as connection:
        names = connection.execute(
            "select table_name from duckdb_tables() where schema_name = 'gold'"
        ).fetchall()
        return {
            name: sorted(
                repr(tuple(round(v, 6) if isinstance(v, float) else v for v in row))
                for row in connection.execute(f"from gold.{name}").fetchall()
            )
            for (name,) in names
            if name not in OF_THE_MAKING
        }


@pytest.fixture
def site(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> Iterator[Whole]:
    monkeypatch.setattr(joined, "DbtTarget", ParsedOnce)
    yield from whole(warehouse)


def test_gold_made_anew_of_shortened_logs_is_the_same(site: Whole, tmp_path: Path) -> None:
    made = lines(seed=11)[:900]
    random.Random(11).shuffle(made)
    parts = [processed(made[at :: LOADS + 1]) for at in range(LOADS + 1)]
    for part in parts[:LOADS]:
        site.load(part)
        site.cycle()
    (before,) = site.asked("select count(*), max(load_id) from silver.session_changes")
    sums = (
        "select (select sum(sign) from silver.session_changes),"
        " (select sum(sign * events) from silver.session_changes),"
        " (select sum(sign) from silver.visitor_week_changes)"
    )
    summed, gold = site.asked(sums), everything(site)

    # What the oldest version that is kept still has to take must stay.
    site.folder.remove_version(1)
    assert site.compact()
    assert not site.compact()
    assert site.asked("select max(to_load_id) from tidelake.windows where compacted") == site.asked(
        "select to_load_id from tidelake.publications where version = 2"
    )
    oldest = Path(shutil.copy(site.folder.file(2), tmp_path / "oldest"))
    for version in range(2, LOADS):
        site.folder.remove_version(version)
    while site.compact():
        pass

    assert site.asked(sums) == summed
    (after,) = site.asked("select count(*), max(load_id) from silver.session_changes")
    assert after[1] == before[1]
    assert after[0] == site.asked("select count(*) from silver_pii.sessions")[0][0] < before[0]
    assert site.asked("select distinct sign from silver.visitor_week_changes") == [(1,)]
    rebuild_gold(site, lambda _: None)
    assert everything(site) == gold

    # What comes after goes on from it, also where no version is left but one of before.
    site.load(parts[LOADS])
    site.cycle()
    gold = everything(site)
    assert [one for one in site.test(after=3) if not one.passed] == []
    for version in site.folder.versions():
        site.folder.remove_version(version)
    shutil.copy(oldest, site.folder.file(2))
    site.cycle()
    assert everything(site) == gold


def test_logs_of_before_that_do_not_say_since_when_are_left_alone(site: Whole) -> None:
    site.load(processed(lines(seed=11)[:50]))
    site.cycle()
    site.do("alter table silver.session_changes drop column since_load_id cascade")

    assert not site.compact()

    assert site.asked("select distinct compacted from tidelake.windows") == [(False,)]


def test_gold_that_was_made_while_another_run_compacted_is_thrown_away(
    site: Whole, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.load(processed(lines(seed=11)[:50]))
    site.cycle()
    published, made = site.folder.current(), site.gold._dbt.run

    def beside(*given: Any, **more: Any) -> Any:
        site.do("update tidelake.windows set compacted = true")
        return made(*given, **more)

    monkeypatch.setattr(site.gold._dbt, "run", beside)
    with pytest.raises(UnavailableError, match="put changes of silver together"):
        site.gold.rebuild()

    assert site.folder.current() == published
