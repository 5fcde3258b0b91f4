"""Cycles over a tiny project: windows, publications, failures, kills."""

from __future__ import annotations

from collections.abc import Callable

import duckdb
import pytest
from tests.transform.conftest import Raw

from tidelake.pipeline.transformer import Transformer
from tidelake.transform.dbt import ModelError

New = Callable[..., Transformer]


def events(transformer: Transformer) -> int:
    """What readers of gold count now."""
    folder = transformer.folder.path
    path = folder / (folder / "current").read_text("utf-8")
    with duckdb.connect(str(path), read_only=True) as connection:
        (count,) = connection.execute("select sum(events)::int from gold.days").fetchone() or (0,)
    return int(count)


def windows(raw: Raw) -> list[tuple[object, ...]]:
    return raw.ask(
        "select from_load_id, to_load_id, status, raw_rows, new_events, repeats "
        "from tidelake.windows order by 1"
    )


def test_a_cycle_makes_one_window_and_publishes_it(transformer: Transformer, raw: Raw) -> None:
    raw.load("a", "b")
    raw.load("b", "c")

    cycle = transformer.cycle()

    assert windows(raw) == [(0, 2, "done", 4, 3, 1)]
    assert cycle.published is not None
    assert (cycle.published.version, cycle.published.to_load_id) == (1, 2)
    assert events(transformer) == 3
    assert raw.ask("select version, to_load_id, events from tidelake.publications") == [(1, 2, 3)]
    assert not transformer.news()


def test_news_are_added_to_what_was_published(transformer: Transformer, raw: Raw) -> None:
    for number in range(3):
        raw.load("always", f"only {number}")
        transformer.cycle()

    assert windows(raw) == [
        (0, 1, "done", 2, 2, 0), (1, 2, "done", 2, 1, 1), (2, 3, "done", 2, 1, 1)
    ]  # fmt: skip
    assert events(transformer) == 4
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
    assert events(transformer) == 1
    assert "told to fail" in said(transformer)

    raw.obey_no_more()
    transformer.cycle()
    transformer.cycle()

    assert [row[:3] for row in windows(raw)] == [(0, 1, "done"), (1, 2, "done"), (2, 3, "done")]
    assert events(transformer) == 3
    assert said(transformer) == ""


def said(transformer: Transformer) -> str:
    folder = transformer.folder.path
    path = folder / (folder / "current").read_text("utf-8")
    with duckdb.connect(str(path), read_only=True) as connection:
        (trouble,) = connection.execute("select trouble from gold.publication").fetchone() or ("",)
    return str(trouble or "")
