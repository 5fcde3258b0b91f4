"""Unpacked files: bytes of this run, which takes read any number of times."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from pathlib import Path

from tidelake.errors import OverloadedError
from tidelake.files import Disk
from tidelake.files.trouble import translated

_numbers = itertools.count()


class Spools:
    """Unpacked files of this process, removed by `close`; a dead process's are removed as well."""

    def __init__(self, home: Path, disk: Disk, min_free_bytes: int) -> None:
        self._folder = home / "run" / "spool"
        self._disk = disk
        self._min_free_bytes = min_free_bytes
        self._made: list[Path] = []
        for name in disk.names(self._folder):
            if not _is_alive(name.partition("-")[0]):
                (self._folder / name).unlink(missing_ok=True)

    def path(self, what: str) -> Path:
        """A path for a new spool. What lies there is of this run: it is never synced."""
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f"{os.getpid()}-{next(_numbers)}-{what}"
        self._made.append(path)
        return path

    def write(self, what: str, blocks: Iterator[bytes]) -> Path:
        """Spool the blocks. Raises `OverloadedError` where the disk would get too full."""
        path = self.path(what)
        with translated("write to", path), path.open("wb") as spool:
            for i, block in enumerate(blocks):
                if i % 64 == 0:
                    self._refuse_if_full(path)
                spool.write(block)
        return path

    def _refuse_if_full(self, path: Path) -> None:
        free = self._disk.free_bytes(self._folder)
        if free < self._min_free_bytes:
            raise OverloadedError(
                f"{free} bytes are free for {path}, {self._min_free_bytes} must stay free",
                hint="Unpacking the file needs more space: free some, or set TIDELAKE_HOME to a"
                " larger file system.",
            )

    def close(self) -> None:
        while self._made:
            self._made.pop().unlink(missing_ok=True)


def _is_alive(pid: str) -> bool:
    if not pid.isdigit():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
