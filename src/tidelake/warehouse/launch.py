"""Starts PostgreSQL's postmaster, as our child or on its own, out of Ctrl-C's reach."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, TypeAlias

from tidelake.warehouse.account import Account
from tidelake.warehouse.cluster import server_environment
from tidelake.warehouse.identity import HOST
from tidelake.warehouse.install import Install
from tidelake.warehouse.postmaster import alive, read_postmaster, serves

#: Whether what was launched still runs.
StillRuns: TypeAlias = Callable[[], bool]


@dataclass(frozen=True)
class Launch:
    """What a postmaster is started from: its programs, its user, its data."""

    install: Install
    account: Account
    data: Path

    def argv(self, port: int) -> list[str]:
        """The command line; it states what tidelake relies on, whatever postgresql.conf says."""
        relied_on = {
            "listen_addresses": HOST,
            "port": str(port),
            "unix_socket_directories": "",
            "wal_level": "logical",
            "fsync": "on",
            "logging_collector": "off",
        }
        settings = [part for item in relied_on.items() for part in ("-c", "=".join(item))]
        return [self.install.program("postgres"), "-D", str(self.data), *settings]

    def keywords(self) -> dict[str, Any]:
        """The keywords of `Popen`.

        The session of its own keeps Ctrl-C in the terminal from the server: others drain first.
        """
        return {
            "cwd": self.data,
            "env": server_environment() | self._no_postmaster(),
            "stdin": subprocess.DEVNULL,
            "start_new_session": True,
            **self.account.as_user(),
        }

    def child(self, port: int, log: IO[bytes]) -> subprocess.Popen[bytes]:
        """Start it as a child of this process, which must wait for it."""
        return subprocess.Popen(self.argv(port), stdout=log, stderr=log, **self.keywords())

    def detached(self, port: int, log: IO[bytes]) -> StillRuns:
        """Start it through a shell that ends at once, so that nobody here has to wait for it."""
        shell = subprocess.run(
            ["/bin/sh", "-c", '"$0" "$@" >&2 & echo $!', *self.argv(port)],
            stdout=subprocess.PIPE,
            stderr=log,
            check=True,
            **self.keywords(),
        )
        pid = int(shell.stdout)
        return lambda: alive(pid)

    def _no_postmaster(self) -> dict[str, str]:
        """Tells PostgreSQL of a recorded process number that is another program now (a reboot).

        It would refuse to start. This variable is how pg_ctl names a number that is no other
        postmaster; the check for backends that still use the shared memory stays in force.
        """
        left = read_postmaster(self.data)
        if left and alive(left.pid) and not serves(left.pid, self.data):
            return {"PG_GRANDPARENT_PID": str(left.pid)}
        return {}
