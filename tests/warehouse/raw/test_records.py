"""Runs of record numbers, against sets of numbers."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from tidelake.warehouse.raw.records import (
    Records,
    Runs,
    as_multirange,
    count,
    held,
    runs_of,
    union,
    without,
)

numbers = st.sets(st.integers(1, 60), max_size=40)


def of(found: set[int]) -> Runs:
    return runs_of(np.array(sorted(found), np.int64))


def back(runs: Runs) -> set[int]:
    return {n for first, last in runs.tolist() for n in range(first, last + 1)}


@given(numbers, numbers)
def test_runs_behave_as_sets(one: set[int], other: set[int]) -> None:
    assert back(of(one)) == one
    assert count(of(one)) == len(one)
    assert back(without(of(one), of(other))) == one - other
    assert back(union([of(one), of(other)])) == one | other
    asked = np.arange(0, 62)
    assert held(of(one), asked).tolist() == [n in one for n in asked]


@given(numbers)
def test_runs_are_in_order_and_apart(found: set[int]) -> None:
    runs = of(found).tolist()
    assert all(last + 1 < first for (_, last), (first, _) in pairwise(runs))


def test_numbers_are_found_whatever_the_stream_is_called() -> None:
    records = Records()
    records.add(pa.array(["inbox/a/0/1", "inbox/a/0/2", "inbox/a/0/4"]))
    records.add(pa.array(["file/b/0/9", "inbox/a/0/3", "file/b/0/10"]))

    found = {stream: runs.tolist() for stream, runs in records.runs().items()}
    assert found == {"inbox/a/0": [[1, 4]], "file/b/0": [[9, 10]]}


def test_a_position_that_is_none_of_ours_is_a_stream_of_its_own() -> None:
    records = Records()
    strange = ["spark", "a/007", "a/0", "a/b", "/5", None, "a/1\n", "a/99999999999999999999"]
    records.add(pa.array([*strange, "a/7"]))

    found = {stream: runs.tolist() for stream, runs in records.runs().items()}
    assert found.pop("a") == [[7, 7]]
    assert found.pop("") == [[0, 0], [5, 5]]
    assert found == {name: [[0, 0]] for name in strange if name not in ("/5", None)}


def test_runs_are_written_as_postgresql_reads_them() -> None:
    assert as_multirange(of({1, 2, 5})) == "{[1,2],[5,5]}"
    assert as_multirange(of(set())) == "{}"
