"""The file that a command writes its answer to: whole, or as it was before."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from tidelake.errors import UsageError


@contextmanager
def answer_file(path: Path) -> Iterator[IO[bytes]]:
    """Takes the bytes beside `path`, and puts them in its place when the block has ended well.

    A query that is wrong, or a full disk, leaves what stood there. What is no file, such as
    `/dev/stdout`, is written to as it is. Raises `UsageError` where it can not be written.
    """
    try:
        if path.exists() and not path.is_file():
            with path.open("wb") as out:
                yield out
            return
        with _beside(path.resolve()) as out:
            yield out
    except OSError as exc:
        raise UsageError(
            f"{path} can not be written: {exc.strerror or exc}", hint="Name another file."
        ) from exc


@contextmanager
def _beside(path: Path) -> Iterator[IO[bytes]]:
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with fresh.open("wb") as out:
            if path.exists():
                shutil.copymode(path, fresh)
            yield out
        fresh.replace(path)
    except BaseException:
        with suppress(OSError):
            fresh.unlink()
        raise
