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
from tidelake.pipeline.part_log import LoggedProcess, PartLog
from tidelake.pipeline.stopping import Stop

FIRST_BACKOFF_S = 0.5
LONGEST_BACKOFF_S = 30.0
LAST_WORDS = 5  # lines of a log that are shown
HEALTHY_AFTER_S = 60.0  # a part that ran this long starts again with the first backoff


class Stopped(Exception):
    """Told to stop before everything ran. No error: whoever asked knows."""


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
    log_from: tuple[int, int]  # where in the log its last start begins
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

    def start(self, *parts: Part, within_s: float = 60.0, stop: Stop | None = None) -> None:
        """Starts parts at once and waits until all are ready.

        Raises `UnavailableError` where one ends or takes longer than `within_s`, `SetupError` where
        it says that its setup is broken, and `Stopped` once `stop` is set.
        """
        started = [self._begun(part) for part in parts]
        deadline = self.clock() + within_s
        for entry in started:
            while not entry.part.ready():
                if stop:
                    raise Stopped
                code = entry.process.poll()
                if code is not None:
                    raise self._did_not_start(entry, f"it exited with code {code}", code)
                if self.clock() > deadline:
                    raise self._did_not_start(entry, f"not ready within {within_s:.0f} s")
                time.sleep(0.05)

    def _begun(self, part: Part) -> _Running:
        """Starts one; it is among the running at once, so that `stop` reaches it in any case."""
        log_from = self._log(part.name).begin()
        entry = _Running(part, part.start(), self.clock(), log_from)
        self.running.append(entry)
        return entry

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

    def stop(self, but: str = "") -> None:
        """Stops every part, the last started first, each within its time, then kills it.

        The part `but` goes on, for who has something to ask of it at the end.
        """
        for entry in reversed(self.running):
            if entry.part.name != but:
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
            raise SetupError(f"{name} can not run with this setup", hint=self._last_words(entry))
        if self.clock() - entry.started_at > HEALTHY_AFTER_S:
            entry.backoff_s = FIRST_BACKOFF_S
        cause = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        self.report(f"{name} died ({cause}); {self._back_off(entry)}")

    def _restart(self, entry: _Running) -> None:
        """Raises `SetupError`, as for a part that says so by its exit code."""
        entry.restart_at, entry.started_at = None, self.clock()
        entry.log_from = self._log(entry.part.name).begin()
        try:
            entry.process = entry.part.start()
        except SetupError:
            raise
        except (OSError, TidelakeError) as exc:
            name = entry.part.name
            self.report(f"{name} could not be started: {exc}; {self._back_off(entry)}")
            return
        entry.restarts += 1
        self.report(f"{entry.part.name} runs again (restart {entry.restarts})")

    def _back_off(self, entry: _Running) -> str:
        """Sets the time of the next start, twice as far as the last; gives the words for it."""
        waits = entry.backoff_s
        entry.restart_at = self.clock() + waits
        entry.backoff_s = min(waits * 2, LONGEST_BACKOFF_S)
        return f"starting it again in {waits:g} s"

    def _did_not_start(
        self, entry: _Running, what: str, code: int | None = None
    ) -> SetupError | UnavailableError:
        kind = SetupError if code == SetupError.exit_code else UnavailableError
        return kind(f"{entry.part.name} did not start: {what}", hint=self._last_words(entry))

    def _last_words(self, entry: _Running) -> str:
        """What the part said since its last start: older words would mislead."""
        log = self._log(entry.part.name)
        try:
            said = log.words_since(entry.log_from).splitlines()[-LAST_WORDS:]
        except OSError:
            said = []
        path = log.path
        return "\n  ".join([f"The end of {path}:", *said]) if said else f"{path} says nothing."

    def _log(self, name: str) -> PartLog:
        return PartLog(self.logs / f"{name}.log")


def command(
    home: Path, name: str, *arguments: str, environment: Mapping[str, str] | None = None
) -> Callable[[], subprocess.Popen[bytes]]:
    """Starts `tidelake --home HOME …`, its output appended to `logs/<name>.log` in the home.

    `environment` holds settings that win over those of this process.
    """
    log = PartLog(home / "logs" / f"{name}.log")

    def start() -> subprocess.Popen[bytes]:
        log.path.parent.mkdir(parents=True, exist_ok=True)
        return LoggedProcess(
            [sys.executable, "-m", "tidelake", "--home", str(home), *arguments],
            log,
            {**os.environ, **(environment or {})},
        )

    return start


def die_with_parent(parent: int | None = None, by: signal.Signals = signal.SIGTERM) -> None:
    """Linux: this process gets `by` when the one that started it dies, even by SIGKILL.

    `parent` is the process id of the one that started it, where it is known. Elsewhere than on
    Linux a part outlives a killed supervisor until it is stopped by hand.
    """
    if sys.platform != "linux":
        return
    expected = os.getppid() if parent is None else parent
    pr_set_pdeathsig = 1
    ctypes.CDLL(None, use_errno=True).prctl(pr_set_pdeathsig, by)
    if os.getppid() != expected:  # it died before the kernel was told
        os.kill(os.getpid(), by)
