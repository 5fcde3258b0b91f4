"""A whole `tidelake up` with an embedded PostgreSQL, to be hurt from outside while events come."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from tidelake.observe import heartbeat
from tidelake.pipeline.published import newest
from tidelake.warehouse.postmaster import running_postmaster
from tidelake.warehouse.server import EmbeddedPostgres

ROOT = Path(__file__).resolve().parents[2]
WITHIN_S = 180.0
POLL_S = 0.05
RATE = 60  # events a second

# As in life, but for ports, and for a cycle of the transform at every news.
ALSO = {
    "TIDELAKE_COLLECT_PORT": "0",
    "TIDELAKE_DASHBOARD_PORT": "0",
    "TIDELAKE_PROCESS_WORKERS": "1",
    "TIDELAKE_TRANSFORM_INTERVAL_S": "1",
    "PYTHONPYCACHEPREFIX": str(ROOT / ".cache" / "pycache"),
    "PYTHONDONTWRITEBYTECODE": "",
}


@dataclass
class Running:
    """A home in which `tidelake up --generate` runs; `server` is its PostgreSQL."""

    home: Path
    server: EmbeddedPostgres = field(init=False)
    _up: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        self.server = EmbeddedPostgres(self.home)

    def start(self) -> None:
        with self._log.open("wb") as out:
            self._up = subprocess.Popen(
                command(self.home, "up", "--generate", str(RATE)),
                env={**os.environ, **ALSO},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        self.until(lambda: "running; Ctrl-C" in self.said(), "it runs")

    def until(self, true: Callable[[], object], what: str) -> None:
        """Waits for it; `tidelake up` runs all the time."""
        deadline = time.monotonic() + WITHIN_S
        while not true():
            assert self._up is not None
            assert self._up.poll() is None, f"up ended before {what}:\n{self.said()}"
            assert time.monotonic() < deadline, (
                f"not within {WITHIN_S:.0f} s: {what}\n{self.said()}"
            )
            time.sleep(POLL_S)

    def stop(self) -> str:
        """Ctrl-C; gives what `up` had said in all."""
        assert self._up is not None
        self._up.send_signal(signal.SIGINT)
        assert self._up.wait(WITHIN_S) == 0, self.said()
        return self.said()

    def halt(self) -> None:
        """Nothing of it runs any more."""
        if self._up is not None and self._up.poll() is None:
            self._up.terminate()
            self._up.wait(WITHIN_S)
        self.server.stop()

    def said(self) -> str:
        return self._log.read_text("utf-8", "replace")

    def part(self, name: str, said: str) -> Any:
        """One word of the heartbeat of a part; None where it has none."""
        beat = heartbeat.read(self.home).get(name)
        return beat.values.get(said) if beat else None

    def process(self, name: str) -> int | None:
        """Process id of a part, or of PostgreSQL; None while it does not run."""
        if name == "postgres":
            found = running_postmaster((self.server.folder / "data").resolve())
            return found.pid if found and found.ready else None
        beat = heartbeat.read(self.home).get(name)
        return beat.pid if beat else None

    def gold_version(self) -> int:
        found = newest(self.home)
        return found.said.version if found else 0

    def wait_for_newer_gold(self) -> None:
        version = self.gold_version()
        self.until(lambda: self.gold_version() > version, "a newer gold is published")

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """`tidelake --home HOME …` to its end."""
        return subprocess.run(
            command(self.home, *arguments),
            env={**os.environ, **ALSO},
            capture_output=True,
            text=True,
            timeout=WITHIN_S,
            check=False,
        )

    def administrator(self) -> psycopg.Connection[Any]:
        return psycopg.connect(self.server.admin_url, autocommit=True)

    @property
    def _log(self) -> Path:
        return self.home.parent / "up.log"


@contextmanager
def home() -> Iterator[Running]:
    """An empty home where PostgreSQL's user can work as well; gone at the end."""
    # Not below pytest's own folder: that one is 0700, and as root the server is another user.
    folder = Path(tempfile.mkdtemp(prefix="tidelake-trouble-"))
    folder.chmod(0o755)
    made = Running(folder / "home")
    made.home.mkdir(mode=0o711)
    try:
        yield made
    finally:
        made.halt()
        made.server.erase()
        shutil.rmtree(folder)


def command(home: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "tidelake", "--home", str(home), *arguments]


def require_all_in_gold(pipeline: Running) -> None:
    """What was accepted is in every layer once, by a count for real."""
    caught_up = pipeline.command("transform")
    assert caught_up.returncode == 0, caught_up.stdout + caught_up.stderr
    counted = pipeline.command("status", "--recount")
    assert counted.returncode == 0, counted.stdout + counted.stderr
    assert "the books balance (counted for real)" in counted.stdout
