"""One embedded PostgreSQL per home: started, attached to, supervised and stopped by us.

    <home>/postgres/server.json   id, port and passwords (0600)
                    data          the cluster, or a link to it below /var/lib/tidelake
                    log/          what the server says
                    lock          held while somebody starts or stops it
                    borrowers     held, shared, by those who need the server only for now
                    borrowed      there while the last of them is to stop it

Locks are of this run and open files of their own: a lock would go with a file that is replaced.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tidelake.errors import SetupError, TransientError, UnavailableError
from tidelake.files.trouble import FULL
from tidelake.warehouse import cluster
from tidelake.warehouse.account import unprivileged_account
from tidelake.warehouse.databases import ensure_database
from tidelake.warehouse.identity import (
    Identity,
    free_port,
    load_identity,
    new_identity,
    port_is_free,
    save_identity,
)
from tidelake.warehouse.install import install_for, wheel_root
from tidelake.warehouse.launch import Launch, StillRuns
from tidelake.warehouse.postmaster import alive, running_postmaster
from tidelake.warehouse.server_log import ServerLog
from tidelake.warehouse.session import connect

SHELTER = Path("/var/lib/tidelake")
POLL_S = 0.05
#: A fast shutdown writes a checkpoint: seconds on a slow disk. After it, an immediate one.
FAST_STOP_S = 60.0
IMMEDIATE_STOP_S = 10.0


@dataclass(frozen=True)
class Health:
    """Whether the server answers `select 1`, and if not, why."""

    ok: bool
    detail: str


class EmbeddedPostgres:
    """The PostgreSQL of one home. Any number of these, in any process, may speak for one home.

    `install` is a folder with PostgreSQL's `bin` (default: the wheel's), `shelter` where data and
    programs lie that an unprivileged user could not reach otherwise.
    """

    def __init__(self, home: Path, install: Path | None = None, shelter: Path = SHELTER) -> None:
        self.folder = home.resolve() / "postgres"
        self._install = install
        self._shelter = shelter
        self._log = ServerLog(self.folder / "log")
        self._borrowed_mark = self.folder / "borrowed"
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """libpq URL of the database `tidelake` as its owner. SetupError before the first start."""
        return self._identity().url

    @property
    def admin_url(self) -> str:
        """The same database as the superuser. SetupError before the first start."""
        return self._identity().admin_url

    def start(self, timeout_s: float = 60) -> str:
        """Start the server, or attach to the one that runs; gives `url` when it answers.

        It outlives this process; `stop()` from any process ends it. Raises SetupError when it
        cannot start, UnavailableError when it did not answer in time.
        """
        with self._claimed():
            self._bring_up(self._prepare(), self._launch_detached, timeout_s)
            self._borrowed_mark.unlink(missing_ok=True)
            return self.url

    def run_child(self, timeout_s: float = 60) -> subprocess.Popen[bytes]:
        """Start the server as a direct child of this process; returns when it answers.

        For a supervisor, which waits on it and calls this again after a crash. A server left by
        another process is stopped first, so that the child is ours. End it with `stop()`. Raises
        as `start` does; a child that needs longer is waited for again by the next call.
        """
        with self._claimed():
            if self._child is None or self._child.poll() is not None:
                self._stop()
            self._bring_up(self._prepare(), self._launch_child, timeout_s)
            self._borrowed_mark.unlink(missing_ok=True)
            assert self._child is not None
            return self._child

    @contextmanager
    def borrowed(self, timeout_s: float = 60) -> Iterator[str]:
        """`url` for as long as the block runs; raises as `start` does.

        A server that had to be started for it is stopped by the last of its borrowers, in
        whichever process. One that was started to stay, or by a supervisor, is left alone.
        """
        with self._claimed():
            started_here = not self.running()
            self._bring_up(self._prepare(), self._launch_detached, timeout_s)
            if started_here:
                self._borrowed_mark.touch()
            use = os.open(self.folder / "borrowers", os.O_RDWR | os.O_CREAT, 0o600)
            fcntl.flock(use, fcntl.LOCK_SH)
        try:
            yield self.url
        finally:
            with self._claimed():
                if self._borrowed_mark.exists() and _last_user(use):
                    self._stop()
                os.close(use)

    def stop(self) -> None:
        """Stop the server of this home, whoever started it: fast, then immediately.

        Nothing happens when none runs. Raises UnavailableError when it does not end.
        """
        if self.folder.is_dir():
            with self._claimed():
                self._stop()

    def running(self) -> bool:
        """Whether a postmaster serves this home's data; it may still be starting."""
        data = cluster.find_data(self.folder)
        return data is not None and running_postmaster(data) is not None

    def health(self, timeout_s: int = 3) -> Health:
        """Ask it; never raises for trouble of the server."""
        try:
            with connect(self.url, timeout_s=timeout_s) as connection:
                connection.execute("select 1")
        except (SetupError, TransientError) as exc:
            return Health(False, exc.message)
        return Health(True, f"answers on port {self._identity().port}")

    def erase(self) -> None:
        """Stop the server and delete all it holds: the folder in the home and the one it links to.

        For `make erase` and tests. The lake is not in it; the catalog of its tables is.
        """
        self.stop()
        identity = load_identity(self.folder / "server.json")
        data = cluster.find_data(self.folder)
        if identity and data and data.parent.name == identity.id:
            shutil.rmtree(data.parent)
        if self.folder.exists():
            shutil.rmtree(self.folder)

    def _identity(self) -> Identity:
        identity = load_identity(self.folder / "server.json")
        if identity is None:
            raise SetupError(
                f"no PostgreSQL was started in {self.folder} yet",
                hint="run `tidelake up` or `tidelake init`",
            )
        return identity

    def _make_folders(self) -> None:
        """As root the server is another user, who must pass to its data whatever our umask."""
        if not self.folder.is_dir():
            self.folder.mkdir(parents=True, exist_ok=True)
            self.folder.chmod(0o711 if os.geteuid() == 0 else 0o700)
        self._log.folder.mkdir(exist_ok=True)

    @contextmanager
    def _claimed(self) -> Iterator[None]:
        """Hold the home's lock: of two starters one starts and the other attaches."""
        try:
            self._make_folders()
            lock = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as exc:
            raise SetupError(
                f"cannot write in {self.folder}: {exc.strerror}",
                hint="run tidelake as the user that created this home, or choose another --home",
            ) from exc
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        except OSError as exc:
            kind = UnavailableError if exc.errno in FULL else SetupError
            raise kind(
                f"cannot run PostgreSQL from {self.folder}: {exc}",
                hint="see whether the disk is full or read-only",
            ) from exc
        finally:
            os.close(lock)

    def _prepare(self) -> Launch:
        """Find account, programs and data; make the cluster where there is none."""
        identity = load_identity(self.folder / "server.json")
        if identity:
            cluster.link_again(self.folder, self._shelter / identity.id)
        data = cluster.find_data(self.folder)
        account = unprivileged_account(data)
        install = install_for(account, self._install or wheel_root(), self._shelter)
        if data is None:
            if identity is None:
                save_identity(self.folder / "server.json", identity := new_identity())
            data = cluster.create_data(
                self.folder,
                self._shelter / identity.id,
                account,
                install,
                identity.admin_password,
            )
        elif identity is None:
            raise SetupError(
                f"{data} holds a cluster whose passwords are lost: server.json is gone",
                hint="restore it, or move the folder away and run `tidelake recover`",
            )
        cluster.check_major(data, install)
        if not account.can_work_in(data):
            raise SetupError(
                f"the user {account.name!r}, who owns the PostgreSQL data, cannot enter {data}",
                hint=f"let {account.name!r} enter the folders above it, or move the home back",
            )
        return Launch(install, account, data)

    def _launch_child(self, launch: Launch) -> StillRuns:
        with self._log.opened() as log:
            self._child = child = launch.child(self._identity().port, log)
        return lambda: child.poll() is None

    def _launch_detached(self, launch: Launch) -> StillRuns:
        with self._log.opened() as log:
            return launch.detached(self._identity().port, log)

    def _bring_up(
        self,
        launch: Launch,
        begin: Callable[[Launch], StillRuns],
        timeout_s: float,
    ) -> None:
        """Launch until a server answers, unless one does already.

        After a kill of the postmaster its backends linger for some seconds and hold the shared
        memory, so a first launch may end at once (measured: up to five).
        """
        deadline = time.monotonic() + timeout_s
        still_runs: StillRuns | None = None
        trouble = "it was still starting"
        while time.monotonic() < deadline:
            server = running_postmaster(launch.data)
            if server and server.ready:
                self._follow_port(server.port)
                try:
                    ensure_database(self._identity())
                    return
                except UnavailableError as exc:
                    trouble = exc.message
            elif not server and not (still_runs and still_runs()):
                if still_runs:
                    trouble = self._log.passing_failure()
                    time.sleep(0.25)
                self._follow_port(self._free_port())
                still_runs = begin(launch)
            time.sleep(POLL_S)
        raise UnavailableError(
            f"PostgreSQL did not answer within {timeout_s:g} s: {trouble}",
            hint=f"it may be recovering; see {self._log.path}, then try again",
        )

    def _free_port(self) -> int:
        kept = self._identity().port
        return kept if port_is_free(kept) else free_port()

    def _follow_port(self, port: int) -> None:
        """Keep the port in the home when it is another one than before."""
        identity = self._identity()
        if identity.port != port:
            save_identity(self.folder / "server.json", identity.on_port(port))

    def _stop(self) -> None:
        data = cluster.find_data(self.folder)
        server = running_postmaster(data) if data else None
        if server is None:
            return
        for sign, patience_s in (
            (signal.SIGINT, FAST_STOP_S),
            (signal.SIGQUIT, IMMEDIATE_STOP_S),
        ):
            os.kill(server.pid, sign)
            if self._ended(server.pid, patience_s):
                self._borrowed_mark.unlink(missing_ok=True)
                return
        raise UnavailableError(
            f"PostgreSQL (process {server.pid}) did not stop",
            hint=f"see {self._log.path}; a disk that does not answer keeps it",
        )

    def _ended(self, pid: int, patience_s: float) -> bool:
        deadline = time.monotonic() + patience_s
        while time.monotonic() < deadline:
            if self._child and self._child.pid == pid:
                self._child.poll()  # collects it, else it stays a zombie
            if not alive(pid):
                return True
            time.sleep(POLL_S)
        return False


def _last_user(descriptor: int) -> bool:
    """Whether nobody else holds the lock that `descriptor` shares."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
