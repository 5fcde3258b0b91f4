"""What a part says, kept in a log that is put aside when it has grown long: two files, bounded.

A part writes into a pipe, not into the file: from a file that somebody else appends to, nobody can
take away the beginning without losing what is written meanwhile.
"""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

LONGEST_LOG_BYTES = 10_000_000
READ_BYTES = 65_536
LAST_WORDS_WITHIN_S = 1.0


class PartLog:
    """The log of one part. Several processes may say something at the same time: one that ends may
    leave behind others that go on for a while."""

    def __init__(self, path: Path, longest_bytes: int = LONGEST_LOG_BYTES) -> None:
        self.path = path
        self._longest_bytes = longest_bytes
        self._lock = threading.Lock()
        self._line_is_open = False

    @property
    def aside(self) -> Path:
        return self.path.with_suffix(".log.1")

    def begin(self) -> tuple[int, int]:
        """Which file it is (its inode) and where in it the next words will stand."""
        try:
            found = self.path.stat()
        except FileNotFoundError:
            return 0, 0
        return found.st_ino, found.st_size

    def words_since(self, begun: tuple[int, int]) -> str:
        """What was said since then, as far as it is kept."""
        inode, place = begun
        said = b""
        for path in (self.path, self.aside):
            with suppress(FileNotFoundError), path.open("rb") as file:
                is_the_one = os.fstat(file.fileno()).st_ino == inode
                file.seek(place if is_the_one else 0)
                said = file.read() + said
                if is_the_one or not inode:
                    break
        return said.decode("utf-8", "replace")

    def write(self, said: bytes) -> None:
        """Appends; a log that is long enough is put aside before, at the end of a line."""
        with self._lock:
            if self._size() + len(said) > self._longest_bytes:
                rest_of_line = self._rest_of_line(said)
                self._append(rest_of_line)
                self.path.replace(self.aside)
                said = said[len(rest_of_line) :]
            self._append(said)

    def keep(self, pipe: int) -> None:
        """Writes down what comes out of a pipe until all who could write have ended."""
        with os.fdopen(pipe, "rb", buffering=0) as words:
            while said := words.read(READ_BYTES):
                # Without room for it, it is lost: a part must not stand still for its log.
                with suppress(OSError):
                    self.write(said)

    def _rest_of_line(self, said: bytes) -> bytes:
        line, end, _ = said.partition(b"\n")
        return line + end if self._line_is_open and end else b""

    def _append(self, said: bytes) -> None:
        with self.path.open("ab") as out:
            out.write(said)
        if said:
            self._line_is_open = not said.endswith(b"\n")

    def _size(self) -> int:
        try:
            return self.path.stat().st_size
        except FileNotFoundError:
            return 0


class LoggedProcess(subprocess.Popen[bytes]):
    """A process whose words go to a log; once it has ended, they are all there."""

    def __init__(self, command: Sequence[str], log: PartLog, env: Mapping[str, str]) -> None:
        words, mouth = os.pipe()
        try:
            super().__init__(
                command,
                stdin=subprocess.DEVNULL,
                stdout=mouth,
                stderr=mouth,
                start_new_session=True,
                env=env,
                # So it may go on speaking to nobody, and end in order, when we are killed.
                pass_fds=(words,),
            )
        except BaseException:
            os.close(words)
            raise
        finally:
            os.close(mouth)
        self._ended = False
        self._keeper = threading.Thread(target=log.keep, args=(words,), daemon=True)
        self._keeper.start()

    def poll(self) -> int | None:
        code = super().poll()
        if code is not None:
            self._hear_out()
        return code

    def wait(self, timeout: float | None = None) -> int:
        code = super().wait(timeout)
        self._hear_out()
        return code

    def _hear_out(self) -> None:
        """A process that it started may hold the pipe for longer; nobody waits for that."""
        if not self._ended:
            self._ended = True
            self._keeper.join(LAST_WORDS_WITHIN_S)
