"""A `FileIO` whose local files are durable when they are closed.

PyIceberg syncs nothing: after a power loss PostgreSQL would point at metadata that never reached
the disk. It is named on the catalog (`py-io-impl`), never as a table property, which other engines
read.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlparse

from pyarrow.fs import FileSystem
from pyiceberg.io import OutputStream
from pyiceberg.io.pyarrow import PyArrowFile, PyArrowFileIO

from tidelake import files

if TYPE_CHECKING:
    from pyiceberg.io import FileIO

KIND = "lake.file"


@cache
def disk() -> files.Disk:
    """The disk of this process: PyIceberg makes a `FileIO` by name, so none can be handed on."""
    return files.open_disk()


def local_path(location: str) -> Path | None:
    """The path of a `file://` location, as PyIceberg takes it; none for other schemes."""
    url = urlparse(location)
    return Path(url.path) if url.scheme in ("file", "") else None


class DurableFileIO(PyArrowFileIO):
    """`PyArrowFileIO` whose local files reach the disk on close; other schemes pass through."""

    def new_output(self, location: str) -> PyArrowFile:
        scheme, netloc, path = self.parse_location(location, self.properties)
        if scheme != "file":
            return super().new_output(location)
        return _DurableFile(self.fs_by_scheme(scheme, netloc), location, path)


class _DurableFile(PyArrowFile):
    """A local file to be written once, whatever `overwrite` says: names in the lake are unique."""

    def __init__(self, fs: FileSystem, location: str, path: str) -> None:
        super().__init__(location, path, fs)

    def create(self, overwrite: bool = False) -> OutputStream:
        stream: Any = disk().output(Path(self._path), KIND)
        return stream  # type: ignore[no-any-return]  # it has what OutputStream names


def replace(io: FileIO, location: str, content: bytes, kind: str) -> None:
    """Gives `location` this content, durably; after a crash it holds the old or all the new.

    Its folder exists, see `make_folder`.
    """
    path = local_path(location)
    if path is None:
        with io.new_output(location).create(overwrite=True) as stream:
            stream.write(content)
        return
    disk().write_atomically(path, content, kind)


def make_folder(location: str, kind: str) -> None:
    """Makes a folder of a local warehouse, durably; other stores have none."""
    path = local_path(location)
    if path is not None:
        disk().make_folder(path, kind)


def read(io: FileIO, location: str) -> bytes | None:
    """The whole content; none where there is no such file."""
    try:
        with io.new_input(location).open() as stream:
            return stream.read()
    except FileNotFoundError:
        return None
