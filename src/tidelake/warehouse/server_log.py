"""The server's log, and what its last lines mean when a start failed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from tidelake.errors import IncompatibleError, SetupError, UnavailableError

ROTATE_BYTES = 16 * 2**20

#: The operating system's words, which PostgreSQL passes on in whatever it fails at.
NO_SPACE = "No space left on device"

#: The server's words for trouble that the next launch may not meet.
PASSING = (
    "is still in use",  # shared memory held by backends of a killed postmaster
    'postmaster.pid" already exists',  # of a server that is just ending
    "Address already in use",  # somebody took the port between our look and the bind
)


class ServerLog:
    """`postgres.log` in `folder`, and the file before it as `postgres.log.1`.

    The server gets it as its open stderr and not as a path, so that it may lie in a folder which
    the server's user cannot enter.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "postgres.log"
        self._start = 0

    @contextmanager
    def opened(self) -> Iterator[IO[bytes]]:
        """Open for one launch; `passing_failure` then looks at what was written since."""
        if self.path.exists() and self.path.stat().st_size > ROTATE_BYTES:
            os.replace(self.path, self.path.with_suffix(".log.1"))
        handle = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        with open(handle, "ab") as log:
            self._start = os.fstat(handle).st_size
            yield log

    def passing_failure(self) -> str:
        """Why the last launch ended, when one of the next seconds may succeed.

        Raises UnavailableError on a full disk: in its recovery the server has to write. Raises
        SetupError when no launch will succeed.
        """
        with self.path.open("rb") as log:
            log.seek(self._start)
            said = log.read().decode(errors="replace").strip()
        last = "\n".join(said.splitlines()[-5:])
        if any(words in said for words in PASSING):
            return last
        if NO_SPACE in said:
            (*_, line) = (line for line in said.splitlines() if NO_SPACE in line)
            raise UnavailableError(
                f"the disk is full, PostgreSQL cannot start: {line}",
                hint="free some space on its disk; nothing that it had committed is lost",
            )
        if "incompatible with server" in said:
            raise IncompatibleError(
                f"the PostgreSQL data was made by another version: {last}",
                hint="move the data folder away and run `tidelake recover`",
            )
        raise SetupError(
            f"PostgreSQL does not start: {last or 'it said nothing'}", hint=f"see {self.path}"
        )
