"""A piece of a file that holds whole records."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

MAX_RECORD_BYTES: Final = 16 << 20
"""Longest record that is handed on whole."""

Read = Callable[[int, int], bytes]
"""Bytes of the file: (offset, most bytes) gives fewer only at its end."""

Cut = Literal["lines", "elements", "brackets"]
"""How a chunk is cut into records: by newlines; as the elements of a JSON array; or, where that
array is broken, by counting brackets."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Bytes `offset..end` of a file hold the records from `first` on, `rows` of them."""

    offset: int
    end: int
    first: int
    rows: int
    cut: Cut

    @property
    def last(self) -> int:
        return self.first + self.rows - 1
