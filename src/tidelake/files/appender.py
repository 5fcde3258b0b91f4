"""Files that are being written: appended to, synced, and left."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Protocol

from tidelake.errors import TidelakeError
from tidelake.files.trouble import translated

if TYPE_CHECKING:
    from tidelake.files.disk import Disk

# A memoryview must be one of single bytes, as every buffer of ours is.
Bytes = bytes | bytearray | memoryview

BUFFER_BYTES = 1 << 20


class Appender(Protocol):
    """A new file that grows at its end.

    After an error nothing may be said about what the file holds beyond the last `sync`: leave it.
    """

    @property
    def path(self) -> Path: ...

    def write(self, *parts: Bytes) -> int:
        """Append the parts, all of them; gives the bytes written. They may be lost until `sync`."""

    def sync(self) -> None:
        """Make the bytes durable. A failure raises and is never tried again."""

    def tell(self) -> int:
        """Bytes written so far."""

    def close(self) -> None:
        """Let go of the file, durable or not. Closing again does nothing."""


class RealAppender:
    """An `Appender` on a file descriptor."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor
        self._written = 0

    def write(self, *parts: Bytes) -> int:
        total = sum(len(part) for part in parts)
        with translated("write to", self.path):
            done = os.writev(self._descriptor, parts)
            if done < total:
                self._write_rest(parts, done)
        self._written += total
        return total

    def _write_rest(self, parts: Sequence[Bytes], done: int) -> None:
        """Write what a short write left: it ends, or tells by an error why it can not."""
        rest = memoryview(b"".join(parts))[done:]
        while rest:
            rest = rest[os.write(self._descriptor, rest) :]

    def sync(self) -> None:
        # fdatasync writes the file's size too; what it leaves out is only the times.
        with translated("sync", self.path):
            data_sync(self._descriptor)

    def tell(self) -> int:
        return self._written

    def close(self) -> None:
        if self._descriptor >= 0:
            descriptor, self._descriptor = self._descriptor, -1
            with translated("close", self.path):
                os.close(descriptor)


# macOS has no fdatasync.
data_sync = getattr(os, "fdatasync", os.fsync)


class Output:
    """A writable file object whose `close` makes bytes and name durable: what libraries write into.

    Small writes are gathered. Left by an exception (`with`), the file is removed instead: nobody
    has been told of it.
    """

    def __init__(self, disk: Disk, appender: Appender, kind: str) -> None:
        self._disk = disk
        self._appender = appender
        self._kind = kind
        self._buffer = bytearray()
        self.closed = False

    def write(self, data: Bytes) -> int:
        size = len(data)
        if size >= BUFFER_BYTES:
            self.flush()
            return self._appender.write(data)
        self._buffer += data
        if len(self._buffer) >= BUFFER_BYTES:
            self.flush()
        return size

    def flush(self) -> None:
        if self._buffer:
            self._appender.write(self._buffer)
            self._buffer = bytearray()

    def tell(self) -> int:
        return self._appender.tell() + len(self._buffer)

    def writable(self) -> bool:
        return True

    def readable(self) -> bool:
        return False

    def seekable(self) -> bool:
        return False

    def close(self) -> None:
        if self.closed:
            return
        self.closed = True
        try:
            self.flush()
            self._appender.sync()
        finally:
            self._appender.close()
        self._disk.sync_folder(self._appender.path.parent, self._kind)

    def discard(self) -> None:
        """Close and remove the file."""
        if self.closed:
            return
        self.closed = True
        # The error that led here matters more than one about a file nobody knows.
        with suppress(TidelakeError):
            self._appender.close()
            self._disk.remove(self._appender.path)

    def __enter__(self) -> Output:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.discard() if error else self.close()
