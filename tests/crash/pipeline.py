"""A whole `tidelake up` on its own PostgreSQL: parts can be killed one by one, or all at once."""

from __future__ import annotations

import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from tidelake.warehouse.server import EmbeddedPostgres

from .compare import Comparison
from .site import Child, Site, until
from .supply import Supply

STOP_WITHIN_S = 180.0
START_WITHIN_S = 120.0
# What can be killed, and the words of its command line. A worker is a process of its part.
PARTS = {
    "postgres": "postgres",
    "collect": "run collect",
    "ingest": "run ingest",
    "care": "run care",
}
WORKERS = {"server process": "collect", "encoder": "ingest"}
# Twenty commits a second would keep care from ever making its own.
AS_IN_LIFE = {
    "TIDELAKE_POSTGRES_URL": "",
    "TIDELAKE_LAKE_COMMIT_INTERVAL_S": "0.5",
    "TIDELAKE_LAKE_QUIET_INTERVAL_S": "0.5",
    "TIDELAKE_CARE_INTERVAL_S": "2",
    "TIDELAKE_CARE_MIN_FILES": "6",
}
VICTIMS = (*PARTS, *WORKERS)


@dataclass
class Pipeline:
    """`tidelake up` on a site, started again as often as it is killed."""

    site: Site
    server: EmbeddedPostgres
    up: Child | None = None

    def start(self) -> None:
        self.up = up = self.site.start("up")
        until(
            lambda: up.ended() or "running; Ctrl-C" in up.said(),
            "it runs",
            up,
            within_s=START_WITHIN_S,
        )
        assert not up.ended(), up.said()
        self.site.database_url = self.server.url

    def process(self, victim: str) -> psutil.Process | None:
        """The process of a part, or the first worker of one; None while it does not run."""
        words = PARTS[WORKERS.get(victim, victim)]
        with suppress(psutil.NoSuchProcess):
            for part in self._parts():
                if words in " ".join(part.cmdline()):
                    return part if victim in PARTS else _worker(part)
        return None

    def kill(self, victim: str) -> int | None:
        """SIGKILL; gives the process id, None where it does not run at the moment."""
        process = self.process(victim)
        with suppress(psutil.NoSuchProcess):
            if process is not None:
                process.kill()
                return process.pid
        return None

    def kill_everything(self) -> None:
        """As a power loss does: all at once, PostgreSQL too."""
        assert self.up is not None
        processes = [psutil.Process(self.up.pid)]
        processes += processes[0].children(recursive=True)
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        self.up.kill()
        psutil.wait_procs(processes, timeout=STOP_WITHIN_S)

    def wait_until_whole(self) -> None:
        assert self.up is not None
        until(self._whole, "all parts run", self.up, within_s=START_WITHIN_S)

    def _whole(self) -> bool:
        return all(self.process(victim) is not None for victim in VICTIMS)

    def stop(self) -> None:
        """Ctrl-C, once all parts run; everything that was acknowledged is in the lake then."""
        self.wait_until_whole()
        assert self.up is not None
        self.up.process.send_signal(signal.SIGINT)
        assert self.up.wait(STOP_WITHIN_S) == 0, self.up.said()

    def compare(self) -> Comparison:
        with self.server.borrowed() as url:
            self.site.database_url = url
            return self.site.compare()

    def _parts(self) -> list[psutil.Process]:
        assert self.up is not None
        return psutil.Process(self.up.pid).children()


def _worker(part: psutil.Process) -> psutil.Process | None:
    of_python = [p for p in part.children() if "resource_tracker" not in " ".join(p.cmdline())]
    return of_python[0] if of_python else None


@contextmanager
def pipeline(supply: Supply) -> Iterator[Pipeline]:
    """A home where PostgreSQL's user can work as well; it is gone at the end."""
    folder = Path(tempfile.mkdtemp(prefix="tidelake-crash-"))
    folder.chmod(0o755)
    home = folder / "home"
    site = Site(home, "", supply, also=AS_IN_LIFE)
    made = Pipeline(site, EmbeddedPostgres(home))
    try:
        yield made
    finally:
        if made.up is not None and not made.up.ended():
            made.kill_everything()
        site.stop()
        made.server.erase()
        shutil.rmtree(folder)
