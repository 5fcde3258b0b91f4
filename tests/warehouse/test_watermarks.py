from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from tidelake.warehouse.watermarks import Watermarks


@pytest.fixture
def watermarks(url: str) -> Iterator[Watermarks]:
    found = Watermarks(url)
    yield found
    found.close()


def marks(watermarks: Watermarks) -> list[tuple[str, str, int]]:
    return [mark[:3] for mark in watermarks.all()]


def test_the_lowest_watermark_of_a_table_is_that_of_its_slowest_consumer(
    watermarks: Watermarks,
) -> None:
    watermarks.register("raw", "events", 9)
    watermarks.register("spark", "events", 4)
    watermarks.register("raw", "rejected_events", 2)
    assert marks(watermarks) == [
        ("events", "raw", 9),
        ("events", "spark", 4),
        ("rejected_events", "raw", 2),
    ]
    assert watermarks.lowest("events") == 4


def test_a_table_without_consumers_has_no_lowest_watermark(watermarks: Watermarks) -> None:
    assert watermarks.lowest("events") is None


def test_registering_again_moves_the_watermark_either_way(watermarks: Watermarks) -> None:
    watermarks.register("raw", "events", 4)
    watermarks.register("raw", "events", 9)
    assert watermarks.lowest("events") == 9
    watermarks.register("raw", "events", 0)
    assert watermarks.lowest("events") == 0


def test_a_forgotten_consumer_holds_nothing_back(watermarks: Watermarks) -> None:
    watermarks.register("raw", "events", 9)
    watermarks.register("gone", "events", 1)
    watermarks.register("gone", "rejected_events", 1)
    watermarks.forget("gone")
    watermarks.forget("never there")
    assert marks(watermarks) == [("events", "raw", 9)]


def test_a_watermark_moves_with_the_transaction_of_its_rows(
    url: str, watermarks: Watermarks
) -> None:
    watermarks.register("raw", "events", 1)
    with psycopg.connect(url) as loader:
        Watermarks(loader).register("raw", "events", 2)
        assert watermarks.lowest("events") == 1
        loader.rollback()
    assert watermarks.lowest("events") == 1
