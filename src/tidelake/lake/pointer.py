"""`metadata/version-hint.text`: which metadata file is committed, for readers without a catalog.

The newest metadata file of a folder may not be committed: `SqlCatalog` writes it before its
compare-and-swap. The pointer is the last step of each commit, so that what it names always was, and
what a source was told to forget always is behind it. DuckDB reads a folder by it too.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tidelake.errors import DamagedError
from tidelake.lake import file_io

if TYPE_CHECKING:
    from pyiceberg.io import FileIO
    from pyiceberg.table import Table

SUFFIX = ".metadata.json"


def publish(table: Table) -> None:
    """Makes the pointer name this metadata file, unless it names a newer one already.

    Two committers (`up` and `ingest FILE`) may come here in the wrong order, so it never goes back.
    """
    name = table.metadata_location.rpartition("/")[2].removesuffix(SUFFIX)
    location = table.metadata.location
    with _alone(location):
        known = read(table.io, location)
        if known is None or _version(known) < _version(name):
            file_io.replace(table.io, _hint(location), name.encode(), "lake.hint")


def read(io: FileIO, location: str) -> str | None:
    """The metadata file that the pointer names, without `.metadata.json`; none: no table here."""
    content = file_io.read(io, _hint(location))
    return None if content is None else content.decode("ascii", "replace").strip()


def metadata_location(location: str, name: str) -> str:
    return f"{location}/metadata/{name}{SUFFIX}"


def _hint(location: str) -> str:
    return f"{location}/metadata/version-hint.text"


def _version(name: str) -> int:
    """`00012-<uuid>` is version 12; the catalog counts versions up, whoever commits."""
    number = name.partition("-")[0]
    if not number.isdecimal():
        raise DamagedError(
            f"the version hint {name!r} names no metadata file",
            hint="Write the name of the newest committed metadata file into version-hint.text.",
        )
    return int(number)


@contextmanager
def _alone(location: str) -> Iterator[None]:
    """Keeps other processes of this machine from publishing; the folder itself is the lock."""
    path = file_io.local_path(location)
    if path is None:
        yield  # one committer at a time on AWS (a FIFO queue, concurrency 1), and Glue is not lost
        return
    descriptor = os.open(path / "metadata", os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
