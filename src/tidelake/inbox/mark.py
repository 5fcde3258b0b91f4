"""The mark: which records of a lane may be read, told from one process to the others.

It is written after the sync of what it announces and is itself never synced. A crash may leave an
older mark, none, or a torn one, never one that says too much.
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from pathlib import Path

import xxhash

from tidelake.files import Disk
from tidelake.files.trouble import ours

_RECORD = struct.Struct("<QQQ")
_TRIES = 3


@dataclass(frozen=True, slots=True)
class Mark:
    """A row, and the count of the segment that was being written then."""

    row: int = 0
    segment: int = 0


def _check(row: int, segment: int) -> int:
    # The seed makes a file of zeros no valid mark.
    return xxhash.xxh3_64_intdigest(struct.pack("<QQ", row, segment), seed=1)


class MarkWriter:
    """The one who sets a mark. Raises as `Disk` does."""

    def __init__(self, disk: Disk, path: Path) -> None:
        self._scratch = disk.scratch(path)

    def publish(self, mark: Mark) -> None:
        check = _check(mark.row, mark.segment)
        self._scratch.write(_RECORD.pack(mark.row, mark.segment, check))

    def close(self) -> None:
        self._scratch.close()


class MarkReader:
    """One who follows a mark."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: Mark | None = None

    def read(self) -> Mark | None:
        """The mark; the last one seen while it is torn; None where there was none."""
        for _ in range(_TRIES):
            content = self._content()
            if len(content) == _RECORD.size:
                row, segment, check = _RECORD.unpack(content)
                if check == _check(row, segment):
                    self._seen = Mark(row, segment)
                    break
        return self._seen

    def _content(self) -> bytes:
        # Opened each time: whoever takes `run/` away and starts again leaves no reader behind.
        try:
            descriptor = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return b""
        except OSError as exc:
            raise ours(exc, "open", self._path) from exc
        try:
            return os.pread(descriptor, _RECORD.size, 0)
        finally:
            os.close(descriptor)
