"""The running part, over a home that somebody else left or changes beside it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tests.transform.conftest import Raw
from tests.transform.reading import asked, counted_days, until

from tidelake.errors import SetupError
from tidelake.pipeline.stopping import Stop
from tidelake.pipeline.transform import Live, Said
from tidelake.pipeline.transformer import Transformer
from tidelake.pipeline.warehouse import Warehouse

Start = Callable[..., subprocess.Popen[bytes]]


def with_transform(warehouse: Warehouse, **changed: object) -> Warehouse:
    """The same home with other settings of the transform part."""
    section = warehouse.settings.transform.model_copy(update=changed)
    return replace(warehouse, settings=warehouse.settings.model_copy(update={"transform": section}))


def test_gold_takes_what_silver_got_without_it(transformer: Transformer, raw: Raw) -> None:
    raw.load("a")
    transformer.cycle(gold=False)
    assert transformer.news()
    transformer.cycle()
    assert not transformer.news()

    raw.ask("update tidelake.windows set generation = 2")

    assert transformer.news()
    transformer.cycle()
    assert not transformer.news()


@pytest.mark.slow
def test_other_models_of_gold_make_it_anew_though_nothing_is_loaded(
    transformer: Transformer, raw: Raw, start: Start, project: Path
) -> None:
    raw.load("a")
    transformer.cycle()
    model = project / "models" / "gold" / "daily_traffic.sql"
    model.chmod(0o644)
    model.write_text(model.read_text("utf-8") + "\nand true\n")

    process = start("run", "transform")
    until(lambda: transformer.folder.current() == 2, process)

    assert asked(transformer, "select from_load_id from gold.publication") == 0
    assert counted_days(transformer) == 1


def test_tests_and_upkeep_have_their_turn_while_news_never_end(
    make: Callable[..., Transformer], warehouse: Warehouse, raw: Raw
) -> None:
    ours = make(with_transform(warehouse, interval_s=0.0, test_interval_s=3600.0))
    live = Live(ours, Stop(), Said())
    live._parse()
    live._tests_due = live._upkeep_due + 1e-6
    for number in range(6):
        raw.load(str(number))
        live._turn()

    assert ours.tested()
    assert raw.ask("select max(to_load_id) from tidelake.windows where compacted") == [(1,)]
    done = raw.ask("select count(*) from tidelake.windows where status = 'done'")
    assert done == [(3,)]  # a cycle between two of the others


def test_how_far_a_rebuild_came_is_not_said_once_it_failed(
    make: Callable[..., Transformer], warehouse: Warehouse, raw: Raw
) -> None:
    raw.load("a")
    make().cycle()
    nobodys = replace(with_transform(warehouse, timezone="Europe/Vienna"), owner_url=None)
    said = Said()

    with pytest.raises(SetupError):
        Live(make(nobodys), Stop(), said)._cycle()

    assert said.now()["alert"] == ""
