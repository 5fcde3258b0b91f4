"""Figures, and what a corpus must be."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bench.corpus import Corpus
from bench.measure import Cost, Figure, in_turns

FINE = Corpus(Path("events.ndjson"), 1_000_000, 0, 10**9, 60_000, 3_000, 7.0)


def test_variants_take_turns() -> None:
    order: list[str] = []

    def work(name: str) -> Cost:
        order.append(name)
        return Cost(1_000_000, 2.0, 1.0, 0)

    found = in_turns({"a": lambda: work("a"), "b": lambda: work("b")}, 2, lambda _: None)

    assert order == ["a", "b", "a", "b"]
    assert [cost.cpu_s_per_million for cost in found["a"]] == [2.0, 2.0]


def test_a_figure_is_the_median_with_its_range() -> None:
    assert Figure.of([3.0, 1.0, 2.0]) == Figure(2.0, 1.0, 3.0, 3)


@pytest.mark.parametrize(
    ("change", "trouble"),
    [
        ({"users": 49_000}, "49,000 users, fewer than 50,000"),
        ({"agents": 1_999}, "1,999 user agents"),
        ({"gzip_ratio": 8.1}, r"gzip -6 makes it 8\.1:1"),
    ],
)
def test_a_corpus_that_is_too_easy_is_named(change: dict[str, float], trouble: str) -> None:
    assert list(FINE.troubles()) == []
    (said,) = replace(FINE, **change).troubles()  # type: ignore[arg-type] # one field of its type
    assert trouble.replace("\\", "") in said
