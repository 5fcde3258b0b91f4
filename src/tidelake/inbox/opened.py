"""A segment that is open for reading."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tidelake.files.trouble import ours

ReadBytes = Callable[[int, int], bytes]
"""Bytes of the segment: (offset, most bytes) gives fewer only at its end."""


@contextmanager
def opened(path: Path) -> Iterator[tuple[ReadBytes, int]]:
    """Reads from a segment, and its size now.

    Raises `FileNotFoundError` where it is gone, which callers expect of a segment that was swept,
    `SetupError` where it may not be read, and `UnavailableError` where the disk fails.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        raise
    except OSError as exc:
        raise ours(exc, "open", path) from exc

    def read(offset: int, most: int) -> bytes:
        parts = []
        try:
            while most > 0 and (part := os.pread(descriptor, most, offset)):
                parts.append(part)
                offset += len(part)
                most -= len(part)
        except OSError as exc:
            raise ours(exc, "read", path) from exc
        return parts[0] if len(parts) == 1 else b"".join(parts)

    try:
        yield read, os.fstat(descriptor).st_size
    finally:
        os.close(descriptor)
