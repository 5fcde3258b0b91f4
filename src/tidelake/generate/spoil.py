"""Lines become chunks: some of them bad, some sent again."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tidelake.generate import draw
from tidelake.generate.faults import FAULTS
from tidelake.generate.render import Lines
from tidelake.generate.spec import GeneratorSpec, Tally

_STREAM = 16  # this file's path below a seed, see draw.generator
_SOON, _LATER = 40, 20_000  # lines until a repeat: half of them soon, half up to much later


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some lines of NDJSON; line i is `data[offsets[i]:offsets[i + 1]]`, newline included."""

    data: memoryview
    offsets: NDArray[np.int32]
    tally: Tally

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def lines(self) -> bytes:
        """The text as it goes to a file."""
        return bytes(self.data)

    @property
    def records(self) -> pa.Array:
        """One binary value per line, without its newline."""
        offsets = pa.py_buffer(np.ascontiguousarray(self.offsets))
        whole = pa.Array.from_buffers(
            pa.binary(), len(self), [None, offsets, pa.py_buffer(self.data)]
        )
        return pc.binary_slice(whole, 0, -1)

    def part(self, start: int, stop: int) -> memoryview:
        """The text of lines start..stop-1."""
        return self.data[self.offsets[start] : self.offsets[stop]]


class Spoiler:
    """Makes some lines bad and sends some good ones again.

    Of every `of` fresh lines, `repeats` are sent again; counts are exact, not only on average,
    since they come from the position in the stream.
    """

    def __init__(self, spec: GeneratorSpec, repeats: int, of: int) -> None:
        self._rng = draw.generator(spec.seed, _STREAM)
        total = repeats + of
        # Shares are of all lines, but only fresh ones are spoiled.
        self._bad = {kind: share * total / of for kind, share in spec.bad.items() if share}
        self._phase = {kind: (i + 0.5) / max(len(self._bad), 1) for i, kind in enumerate(self._bad)}
        self._repeats, self._of = repeats, of
        self._position = 0
        self._again: list[tuple[int, int, bytes]] = []

    def spoil(self, lines: Lines, last: bool = False) -> Chunk:
        """A chunk of these lines, plus the repeats that are due; `last` sends all that are left."""
        if not self._bad and not self._repeats:
            return Chunk(lines.data, lines.offsets, Tally(len(lines)))
        begin, self._position = self._position, self._position + len(lines)
        fault_at = self._faults(begin, len(lines))
        repeated = self._choose_repeats(begin, len(lines), fault_at)
        tally = Tally(len(lines))
        changes: list[tuple[int, bytes | None, bytes]] = []
        for at, kind in fault_at.items():
            bad = FAULTS[kind](_line(lines, at)[:-1], self._rng) + b"\n"
            changes.append((at, bad, b""))
            tally.bad[kind] += 1
        for at, line in self._due(lines, begin, repeated, last):
            changes.append((at, None, line))
            tally.sent += 1
            tally.repeats += 1
        return _splice(lines, sorted(changes, key=lambda change: change[0]), tally)

    def _faults(self, begin: int, count: int) -> dict[int, str]:
        """Which of these lines become bad, and how."""
        kinds = [
            kind
            for kind, share in self._bad.items()
            for _ in range(self._number(kind, share, begin, begin + count))
        ]
        places = self._rng.permutation(count)[: len(kinds)].tolist()
        return dict(zip(places, kinds, strict=False))

    def _number(self, kind: str, share: float, begin: int, end: int) -> int:
        phase = self._phase[kind]
        return int(end * share + phase) - int(begin * share + phase)

    def _choose_repeats(self, begin: int, count: int, bad: dict[int, str]) -> list[int]:
        end = begin + count
        wanted = end * self._repeats // self._of - begin * self._repeats // self._of
        places = self._rng.permutation(count).tolist()
        return [at for at in places if at not in bad][:wanted]

    def _due(
        self, lines: Lines, begin: int, repeated: list[int], last: bool
    ) -> Iterator[tuple[int, bytes]]:
        """Repeats to send now: after which line of the chunk, and the line."""
        reach = np.where(self._rng.random(len(repeated)) < 0.5, _SOON, _LATER)
        delays = self._rng.integers(1, reach + 1).tolist() if repeated else []
        for number, (at, delay) in enumerate(zip(repeated, delays, strict=True)):
            heapq.heappush(self._again, (begin + at + delay, number, _line(lines, at)))
        end = begin + len(lines)
        while self._again and (last or self._again[0][0] < end):
            due, _, line = heapq.heappop(self._again)
            yield min(due - begin, len(lines) - 1), line


def _line(lines: Lines, at: int) -> bytes:
    return bytes(lines.data[lines.offsets[at] : lines.offsets[at + 1]])


def _splice(lines: Lines, changes: list[tuple[int, bytes | None, bytes]], tally: Tally) -> Chunk:
    """The lines with some replaced and some put in behind; `changes` are in order of place."""
    pieces: list[bytes | memoryview] = []
    lengths = np.diff(lines.offsets).tolist()
    done = 0
    added: list[tuple[int, int]] = []
    for at, bad, again in changes:
        stop = at if bad is not None else at + 1
        if stop > done:
            pieces.append(lines.data[lines.offsets[done] : lines.offsets[stop]])
            done = stop
        if bad is not None:
            pieces.append(bad)
            lengths[at] = len(bad)
            done = at + 1
        else:
            pieces.append(again)
            added.append((at + 1, len(again)))
    pieces.append(lines.data[lines.offsets[done] :])
    sizes = np.insert(lengths, [at for at, _ in added], [size for _, size in added])
    offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32)
    return Chunk(memoryview(b"".join(pieces)), offsets, tally)
