"""A batch can be cut and thinned out, and every record and gap stays where it was."""

from __future__ import annotations

from itertools import pairwise

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidelake.batch import RAW_SCHEMA, Gap, RawBatch, split_position, stream_name
from tidelake.errors import UsageError


def batch(numbers: list[int], gaps: tuple[Gap, ...] = (), last: int | None = None) -> RawBatch:
    rows = [
        {
            "body": str(number).encode(),
            "envelope": b"{}",
            "received_at": 0,
            "source": "api",
            "format": "native",
        }
        for number in numbers
    ]
    records = pa.RecordBatch.from_pylist(rows, RAW_SCHEMA)
    end = last or max([*numbers, *(gap.last for gap in gaps)])
    return RawBatch("inbox/i/0", 1, end, records, pa.array(numbers, pa.int64()), gaps)


@given(kept=st.lists(st.booleans(), min_size=1, max_size=40), rows=st.integers(1, 10))
def test_slices_hold_every_record_and_every_gap_once_and_in_order(
    kept: list[bool], rows: int
) -> None:
    numbers = [number for number, keep in enumerate(kept, 1) if keep]
    lost = tuple(Gap(number, number, "") for number, keep in enumerate(kept, 1) if not keep)
    whole = batch(numbers, lost, len(kept))

    parts = list(whole.slices(rows))

    assert [n for part in parts for n in part.numbers.to_pylist()] == numbers
    assert [gap for part in parts for gap in part.gaps] == list(lost)
    assert all(part.records.num_rows <= rows for part in parts)
    assert (parts[0].first, parts[-1].last) == (whole.first, whole.last)
    assert all(a.last + 1 == b.first for a, b in pairwise(parts))


def test_records_and_gaps_that_were_judged_are_left_out() -> None:
    whole = batch([1, 2, 5], (Gap(3, 4, "lost"),))

    rest = whole.without({2, 3})

    assert rest.numbers.to_pylist() == [1, 5]
    assert rest.records["body"].to_pylist() == [b"1", b"5"]
    assert rest.gaps == ()
    assert (rest.first, rest.last) == (1, 5)


def test_raw_bytes_are_those_of_the_bodies() -> None:
    assert batch([1, 10, 100]).raw_bytes == 6


def test_a_position_is_a_stream_and_a_number() -> None:
    assert split_position("inbox/i/0/17") == ("inbox/i/0", 17)


@pytest.mark.parametrize("parts", [("", "i", 0), ("inbox", "a/b", 0), ("inbox", "i", "")])
def test_a_stream_name_without_three_whole_parts_is_refused(parts: tuple[str, str, str]) -> None:
    with pytest.raises(UsageError, match="three parts"):
        stream_name(*parts)
