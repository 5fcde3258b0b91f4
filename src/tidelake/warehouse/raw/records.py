"""Which records the rows of a file are: runs of numbers by stream.

Compaction gives rows other files, and sorting another order; the record that a row was made from
stays the same, and there are far fewer runs of them than rows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Numbers = NDArray[np.int64]
#: Runs of numbers as rows (first, last), both inclusive, in order and apart from each other.
Runs = NDArray[np.int64]

# Records are numbered from 1: what is numbered otherwise is none of ours.
NUMBER = r"[1-9][0-9]{0,17}"
POSITION = re.compile(rf"(.*)/({NUMBER})", re.DOTALL)
NO_RUNS: Runs = np.empty((0, 2), dtype=np.int64)


def numbers_of(positions: pa.Array) -> tuple[list[str], Numbers, Numbers]:
    """Stream names, and for each row the place of its stream in them and its number.

    A position that is none of ours (another engine wrote the row) is a stream of its own, number 0.
    """
    if len(positions) == 0:
        return [], np.empty(0, np.int64), np.empty(0, np.int64)
    return _of_one_stream(positions) or _of_many(positions)


def _of_one_stream(positions: pa.Array) -> tuple[list[str], Numbers, Numbers] | None:
    """As almost every file has it: one name before all numbers."""
    found = POSITION.fullmatch(positions[0].as_py() or "")
    if found is None:
        return None
    stream = found[1]
    rest = pc.utf8_slice_codeunits(positions, len(stream) + 1)
    ours = pc.and_(
        pc.starts_with(positions, f"{stream}/"), pc.match_substring_regex(rest, f"^{NUMBER}$")
    )
    if positions.null_count or not pc.all(ours).as_py():
        return None
    return [stream], np.zeros(len(positions), np.int64), rest.cast(pa.int64()).to_numpy()


def _of_many(positions: pa.Array) -> tuple[list[str], Numbers, Numbers]:
    codes: dict[str, int] = {}
    streams, numbers = [], []
    for position in positions.to_pylist():
        found = POSITION.fullmatch(position or "")
        stream, number = (found[1], int(found[2])) if found else (position or "", 0)
        streams.append(codes.setdefault(stream, len(codes)))
        numbers.append(number)
    return list(codes), np.array(streams, np.int64), np.array(numbers, np.int64)


@dataclass
class Records:
    """Gathers the records of a file, batch by batch."""

    _numbers: dict[str, list[Numbers]] = field(default_factory=dict)

    def add(self, positions: pa.Array) -> None:
        names, streams, numbers = numbers_of(positions)
        for code, name in enumerate(names):
            of_stream = numbers if len(names) == 1 else numbers[streams == code]
            self._numbers.setdefault(name, []).append(of_stream)

    def runs(self) -> dict[str, Runs]:
        return {name: runs_of(np.concatenate(found)) for name, found in self._numbers.items()}


def runs_of(numbers: Numbers) -> Runs:
    """The runs that hold exactly these numbers, however often each is given."""
    if len(numbers) == 0:
        return NO_RUNS
    ordered = np.unique(numbers)
    breaks = np.flatnonzero(np.diff(ordered) != 1)
    firsts = ordered[np.concatenate(([0], breaks + 1))]
    lasts = ordered[np.concatenate((breaks, [len(ordered) - 1]))]
    return np.column_stack((firsts, lasts))


def union(many: Iterable[Runs]) -> Runs:
    """The runs that hold what any of `many` holds."""
    given = [runs for runs in many if len(runs)]
    if not given:
        return NO_RUNS
    runs = np.concatenate(given)
    runs = runs[np.argsort(runs[:, 0], kind="stable")]
    reached = np.maximum.accumulate(runs[:, 1])
    starts = np.flatnonzero(np.concatenate(([True], runs[1:, 0] > reached[:-1] + 1)))
    ends = np.concatenate((starts[1:] - 1, [len(runs) - 1]))
    return np.column_stack((runs[starts, 0], reached[ends]))


def without(runs: Runs, gone: Runs) -> Runs:
    """What `runs` holds and `gone` does not; both in order and apart."""
    if not len(runs) or not len(gone):
        return runs
    left: list[tuple[int, int]] = []
    for first, last in runs.tolist():
        at = int(np.searchsorted(gone[:, 1], first))
        while at < len(gone) and gone[at, 0] <= last:
            if gone[at, 0] > first:
                left.append((first, int(gone[at, 0]) - 1))
            first = int(gone[at, 1]) + 1
            at += 1
        if first <= last:
            left.append((first, last))
    return np.array(left, np.int64).reshape(-1, 2)


def held(runs: Runs, numbers: Numbers) -> NDArray[np.bool_]:
    """For each number, whether `runs` holds it."""
    if not len(runs):
        return np.zeros(len(numbers), np.bool_)
    at = np.searchsorted(runs[:, 0], numbers, side="right") - 1
    found: NDArray[np.bool_] = (at >= 0) & (numbers <= runs[np.maximum(at, 0), 1])
    return found


def count(runs: Runs) -> int:
    return int((runs[:, 1] - runs[:, 0] + 1).sum())


def as_multirange(runs: Runs) -> str:
    """PostgreSQL's text for an `int8multirange`."""
    return "{" + ",".join(f"[{first},{last}]" for first, last in runs.tolist()) + "}"
