"""Runs the parts of a pipeline as child processes: starts, restarts with backoff, stops in order.

A part is a process of its own, in a session of its own, so that Ctrl-C in the terminal reaches the
supervisor alone and the parts stop in the order in which events flow: what sends first, what
stores last. They are started the other way round.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tidelake.errors import SetupError, TidelakeError, UnavailableError

FIRST_BACKOFF_S = 0.5
LONGEST_BACKOFF_S = 30.0
LAST_WORDS = 5  # lines of a log that are shown
HEALTHY_AFTER_S = 60.0  # a part that ran this long starts again with the first backoff


@dataclass(frozen=True, slots=True)
class Part:
    """One process: how to start it, how to know that it is ready, how long it may take to stop."""

    name: str
    start: Callable[[], subprocess.Popen[bytes]]
    ready: Callable[[], bool] = lambda: True
    stop_signal: signal.Signals = signal.SIGTERM
    stop_within_s: float = 60.0


@dataclass(slots=True)
class _Running:
    part: Part
    process: subprocess.Popen[bytes]
    started_at: float
    backoff_s: float = FIRST_BACKOFF_S
    restart_at: float | None = None
    restarts: int = 0


@dataclass
class Supervisor:
    """Holds the running parts; `report` gets one sentence for everything a user should know.

    `logs` is the folder where the parts write what they say, to be shown when one ends badly.
    """

    report: Callable[[str], None]
    logs: Path = Path("logs")
    clock: Callable[[], float] = time.monotonic
    running: list[_Running] = field(default_factory=list)

    def start(self, *parts: Part, within_s: float = 60.0) -> None:
        """Starts parts at once and waits until all are ready; raises `UnavailableError`."""
        started = [_Running(part, part.start(), self.clock()) for part in parts]
        self.running += started
        deadline = self.clock() + within_s
        for entry in started:
            while not entry.part.ready():
                code = entry.process.poll()
                if code is not None:
                    raise self._did_not_start(entry.part, f"it exited with code {code}")
                if self.clock() > deadline:
                    raise self._did_not_start(entry.part, f"not ready within {within_s:.0f} s")
                time.sleep(0.05)

    def watch(self) -> None:
        """Looks once at every part: reports the dead, restarts those whose backoff is over."""
        for entry in self.running:
            if entry.restart_at is not None:
                if self.clock() >= entry.restart_at:
                    self._restart(entry)
            elif (code := entry.process.poll()) is not None:
                self._bury(entry, code)

    def finished(self, name: str) -> int | None:
        """Exit code of a part that ended, else None."""
        return next(e.process.poll() for e in self.running if e.part.name == name)

    def pids(self) -> dict[str, int]:
        return {entry.part.name: entry.process.pid for entry in self.running}

    def stop(self) -> None:
        """Stops every part, the last started first, each within its time, then kills it."""
        for entry in reversed(self.running):
            self.stop_part(entry.part.name)

    def stop_part(self, name: str) -> int | None:
        """Stops one part and forgets it; gives its exit code, or None where it had to be killed."""
        entry = next((e for e in self.running if e.part.name == name), None)
        if entry is None:
            return 0
        self.running = [e for e in self.running if e is not entry]
        if entry.process.poll() is not None:
            return entry.process.returncode
        entry.process.send_signal(entry.part.stop_signal)
        try:
            return entry.process.wait(entry.part.stop_within_s)
        except subprocess.TimeoutExpired:
            self.report(f"{name} did not stop within {entry.part.stop_within_s:.0f} s: killed")
            entry.process.kill()
            entry.process.wait()
            return None

    def _bury(self, entry: _Running, code: int) -> None:
        name = entry.part.name
        if code == SetupError.exit_code:
            raise SetupError(f"{name} can not run with this setup", hint=self._last_words(name))
        if self.clock() - entry.started_at > HEALTHY_AFTER_S:
            entry.backoff_s = FIRST_BACKOFF_S
        entry.restart_at = self.clock() + entry.backoff_s
        cause = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        self.report(f"{name} died ({cause}); starting it again in {entry.backoff_s:g} s")
        entry.backoff_s = min(entry.backoff_s * 2, LONGEST_BACKOFF_S)

    def _did_not_start(self, part: Part, what: str) -> UnavailableError:
        return UnavailableError(
            f"{part.name} did not start: {what}", hint=self._last_words(part.name)
        )

    def _last_words(self, name: str) -> str:
        log = self.logs / f"{name}.log"
        try:
            said = log.read_text("utf-8", "replace").splitlines()[-LAST_WORDS:]
        except OSError:
            return f"It wrote no log ({log})."
        return "\n  ".join([f"The end of {log}:", *said])

    def _restart(self, entry: _Running) -> None:
        entry.restart_at, entry.started_at = None, self.clock()
        try:
            entry.process = entry.part.start()
        except (OSError, TidelakeError) as exc:
            entry.restart_at = self.clock() + entry.backoff_s
            self.report(f"{entry.part.name} could not be started: {exc}")
            return
        entry.restarts += 1
        self.report(f"{entry.part.name} runs again (restart {entry.restarts})")


def command(
    home: Path, name: str, *arguments: str, environment: Mapping[str, str] | None = None
) -> Callable[[], subprocess.Popen[bytes]]:
    """Starts `tidelake --home HOME …`, its output appended to `logs/<name>.log` in the home.

    `environment` holds settings that win over those of this process.
    """

    def start() -> subprocess.Popen[bytes]:
        log = home / "logs" / f"{name}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as out:
            return subprocess.Popen(
                [sys.executable, "-m", "tidelake", "--home", str(home), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
                env={**os.environ, **(environment or {})},
            )

    return start


def die_with_parent() -> None:
    """Linux: this process gets SIGTERM when the one that started it dies, even by SIGKILL.

    Elsewhere a part outlives a killed supervisor until it is stopped by hand.
    """
    if sys.platform != "linux":
        return
    pr_set_pdeathsig = 1
    ctypes.CDLL(None, use_errno=True).prctl(pr_set_pdeathsig, signal.SIGTERM)
