"""The running part, over a home that somebody else left or changes beside it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.transform.conftest import Raw
from tests.transform.reading import asked, counted_days, until

from tidelake.pipeline.transformer import Transformer

Start = Callable[..., subprocess.Popen[bytes]]


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
