"""What is in a file, whatever it is packed in: its hash, and its records as plain bytes on disk."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, Protocol

from tidelake.errors import UnavailableError, UsageError
from tidelake.files.trouble import translated
from tidelake.sources.spools import Spools

BLOCK_BYTES: Final = 1 << 20
LONGEST_FIRST_LINE: Final = 1 << 20  # a longer one that begins with [ is an array
# A packed block can be 32,000 times as large as it looks (zstd): 128 MB for one of this size.
PACKED_BLOCK_BYTES: Final = 4096
MAGIC: Final = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd", b"PAR1": "parquet"}


@dataclass(frozen=True, slots=True)
class Content:
    """A file's records as plain bytes: NDJSON or a JSON array in `path`, from `begin` to `size`."""

    sha256: str
    name: str
    path: Path
    size: int
    changed_ns: int
    begin: int
    is_array: bool


@contextmanager
def opened(given: str) -> Iterator[BinaryIO]:
    """The file named on a command line, `-` being standard input."""
    if given == "-":
        yield sys.stdin.buffer
        return
    path = Path(given)
    if not path.exists():
        raise UsageError(f"{given} does not exist", hint="Check the path; - is standard input.")
    if path.is_dir():
        raise UsageError(f"{given} is a folder", hint=f"Name its files: {given}/*.json.")
    with translated("open", path):
        file = path.open("rb", buffering=0)
    with file:
        yield file


def content_of(given: str, spools: Spools) -> Content:
    """Hash the file, unpack it if it is packed, and look at how it begins.

    Raises `UsageError` where it can not be read to its end as UTF-8 (it is missing, a folder, cut
    short, UTF-16), and what the disk raises.
    """
    with opened(given) as file:
        if given == "-" or not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            # A pipe can be read once; takes are read any number of times.
            path = spools.write("input", iter(lambda: file.read(BLOCK_BYTES), b""))
        else:
            path = Path(given).absolute()
    name = "stdin" if given == "-" else Path(given).name
    digest, head = hashlib.sha256(), b""
    with translated("read", path), path.open("rb", buffering=0) as file:
        found = os.fstat(file.fileno())  # before it is read: a change from here on shows
        while block := file.read(BLOCK_BYTES):
            digest.update(block)
            head = head or block[:4]
    packing = next((kind for magic, kind in MAGIC.items() if head.startswith(magic)), None)
    if packing is not None:
        path = _spooled(path, name, packing, spools)
        found = path.stat()
    begin, is_array = _beginning(path, name)
    sha256 = digest.hexdigest()
    return Content(sha256, name, path, found.st_size, found.st_mtime_ns, begin, is_array)


def _spooled(path: Path, name: str, packing: str, spools: Spools) -> Path:
    """The records of a packed file, as plain bytes."""
    if packing == "parquet":
        from tidelake.sources.parquet import spool_parquet

        return spool_parquet(path, name, spools)
    return spools.write("unpacked.ndjson", _unpacked(path, name, packing))


def _beginning(path: Path, name: str) -> tuple[int, bool]:
    """Where the records begin, and whether they are the elements of an array."""
    with translated("read", path), path.open("rb") as file:
        head = file.read(3)
        if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
            raise UsageError(
                f"{name} is UTF-16; events are UTF-8",
                hint=f"Convert it: iconv -f UTF-16 -t UTF-8 {name} | tidelake ingest -",
            )
        # The mark that Windows programs write belongs to the file, not to its first record.
        begin = at = 3 if head == b"\xef\xbb\xbf" else 0
        file.seek(begin)
        while block := file.read(BLOCK_BYTES):
            rest = block.lstrip(b" \t\r\n")
            at += len(block) - len(rest)
            if rest:
                is_array = rest.startswith(b"[") and not _is_first_of_lines(file, at)
                return (at + 1, True) if is_array else (begin, False)
    return begin, False


def _is_first_of_lines(file: BinaryIO, at: int) -> bool:
    """Whether the array at `at` is a line with others below it: a bad record of NDJSON."""
    file.seek(at)
    line = file.readline(LONGEST_FIRST_LINE)
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    while block := file.read(BLOCK_BYTES):
        if block.strip(b" \t\r\n"):
            return True
    return False


class _Unpacker(Protocol):
    """What zlib and zstandard share: one packed run, and what follows it."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, /) -> bytes: ...


def _unpacker(packing: str) -> Callable[[], _Unpacker]:
    if packing == "gzip":
        return lambda: zlib.decompressobj(zlib.MAX_WBITS | 16)
    import zstandard

    return zstandard.ZstdDecompressor().decompressobj


def _unpacked(path: Path, name: str, packing: str) -> Iterator[bytes]:
    """The content of a gzip or zstd file, also of several put one after the other.

    Python's own gzip and zstandard's reader take a file that was cut for one that ended.
    """
    new = _unpacker(packing)
    unpacker, read = new(), 0
    with path.open("rb") as file:
        while block := file.read(PACKED_BLOCK_BYTES):
            read += len(block)
            while block:
                if unpacker.eof:
                    unpacker = new()
                try:
                    yield unpacker.decompress(block)
                except Exception as exc:  # zlib.error or ZstdError: neither has a common base
                    raise _not_packed(name, packing, read, str(exc)) from exc
                block = unpacker.unused_data if unpacker.eof else b""
    if not unpacker.eof:
        raise _not_packed(name, packing, read, "it is cut short")


def _not_packed(name: str, packing: str, read: int, why: str) -> UsageError:
    return UsageError(
        f"{name} can not be unpacked as {packing} near byte {read}: {why}",
        hint="Nothing of it was taken. Get it again, or unpack what can be read and ingest that.",
    )


def read_range(content: Content, offset: int, size: int) -> bytes:
    """Bytes of the content; raises `UnavailableError` where it was changed since it was hashed."""
    with translated("read", content.path), content.path.open("rb", buffering=0) as file:
        found = os.fstat(file.fileno())
        if (found.st_size, found.st_mtime_ns) != (content.size, content.changed_ns):
            raise UnavailableError(
                f"{content.path} was changed while it is being ingested",
                hint="Ingest it again when nobody writes to it; what the lake holds stays.",
            )
        return os.pread(file.fileno(), size, offset)
