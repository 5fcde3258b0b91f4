"""The books balance when every accepted record is an event or a reject, and name what is wrong."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tidelake.observe.books import Books

LANE = "inbox/i/0"
BALANCED = Books(
    accepted={LANE: 120},
    positions={LANE: 100},
    finished=50,
    events=140,
    rejected=12,
    damaged=3,
    replayed=7,
    rolled_back=2,
)


def test_books_balance_while_records_wait() -> None:
    assert BALANCED.wrong() == []
    assert (BALANCED.total_accepted, BALANCED.taken, BALANCED.waiting) == (170, 150, 20)


@pytest.mark.parametrize("column", ["events", "rejected", "damaged", "replayed", "rolled_back"])
def test_one_row_too_few_or_too_many_is_found(column: str) -> None:
    for change in (-1, 1):
        books = replace(BALANCED, **{column: getattr(BALANCED, column) + change})
        assert [finding.layer for finding in books.wrong()] == ["lake"]


def test_a_position_beyond_what_was_accepted_is_named() -> None:
    books = replace(BALANCED, positions={LANE: 121}, events=161)

    (finding,) = books.wrong()
    assert (finding.layer, LANE in finding.sentence) == ("positions", True)


def test_a_position_moved_back_by_hand_is_found() -> None:
    assert not replace(BALANCED, positions={LANE: 99}).balanced


def test_rejects_of_a_range_whose_events_are_not_committed_do_not_count_yet() -> None:
    assert replace(BALANCED, rejected=15, rejected_ahead=3).balanced


def test_a_stream_whose_source_is_elsewhere_is_known_by_its_position() -> None:
    books = Books(accepted={}, positions={"kinesis/a/0": 5}, events=5)

    assert books.balanced
    assert books.waiting == 0
