"""Parts are started, restarted when they die, and stopped in order."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tidelake.errors import SetupError, UnavailableError
from tidelake.pipeline.stopping import Stop
from tidelake.pipeline.supervise import Part, Stopped, Supervisor


class Clock:
    """Seconds that pass only when a test says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def python(code: str) -> Callable[[], subprocess.Popen[bytes]]:
    return lambda: subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.DEVNULL)


FOREVER = "import time; time.sleep(600)"


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def supervisor(said: list[str], clock: Clock):
    holder = Supervisor(said.append, clock=clock)
    yield holder
    holder.stop()


def test_a_part_that_is_killed_is_restarted_after_its_backoff(
    supervisor: Supervisor, said: list[str], clock: Clock
) -> None:
    supervisor.start(Part("ingest", python(FOREVER)))
    first = supervisor.running[0].process
    first.kill()
    first.wait()

    supervisor.watch()
    assert said == ["ingest died (signal SIGKILL); starting it again in 0.5 s"]
    supervisor.watch()
    assert supervisor.running[0].process is first
    clock.now = 0.6
    supervisor.watch()

    assert said[1:] == ["ingest runs again (restart 1)"]
    assert supervisor.running[0].process.poll() is None


def test_backoff_doubles_while_a_part_keeps_dying(
    supervisor: Supervisor, said: list[str], clock: Clock
) -> None:
    supervisor.start(Part("care", python("raise SystemExit(1)")))
    for _ in range(4):
        supervisor.running[0].process.wait()
        supervisor.watch()
        clock.now += 10
        supervisor.watch()

    deaths = [line for line in said if "died" in line]
    assert [line.rsplit(" in ", 1)[1] for line in deaths] == ["0.5 s", "1 s", "2 s", "4 s"]


def test_a_part_with_a_broken_setup_is_not_started_again(supervisor: Supervisor) -> None:
    supervisor.start(Part("collect", python("raise SystemExit(3)")))
    supervisor.running[0].process.wait()

    with pytest.raises(SetupError, match="collect can not run"):
        supervisor.watch()


def test_a_part_that_ends_before_it_is_ready_is_an_error(supervisor: Supervisor) -> None:
    with pytest.raises(UnavailableError, match="exited with code 7"):
        supervisor.start(Part("collect", python("raise SystemExit(7)"), ready=lambda: False))


def test_a_part_that_says_at_once_that_its_setup_is_broken_is_told_so(
    supervisor: Supervisor,
) -> None:
    with pytest.raises(SetupError, match="exited with code 3"):
        supervisor.start(Part("collect", python("raise SystemExit(3)"), ready=lambda: False))


def test_backoff_doubles_while_a_part_can_not_be_started(
    supervisor: Supervisor, said: list[str], clock: Clock
) -> None:
    def fails() -> subprocess.Popen[bytes]:
        raise UnavailableError("no room")

    supervisor.start(Part("postgres", python("raise SystemExit(1)")))
    supervisor.running[0].process.wait()
    supervisor.watch()
    object.__setattr__(supervisor.running[0].part, "start", fails)
    for _ in range(3):
        clock.now += 10
        supervisor.watch()

    assert [line.rsplit(" in ", 1)[1] for line in said] == ["0.5 s", "1 s", "2 s", "4 s"]


def test_a_broken_setup_at_a_restart_ends_all(supervisor: Supervisor, clock: Clock) -> None:
    def broken() -> subprocess.Popen[bytes]:
        raise SetupError("read-only")

    supervisor.start(Part("postgres", python("raise SystemExit(1)")))
    supervisor.running[0].process.wait()
    supervisor.watch()
    object.__setattr__(supervisor.running[0].part, "start", broken)
    clock.now += 10

    with pytest.raises(SetupError, match="read-only"):
        supervisor.watch()


def test_last_words_are_of_the_last_start(tmp_path: Path) -> None:
    (tmp_path / "collect.log").write_text("trouble of yesterday\n")
    supervisor = Supervisor(print, tmp_path)

    def start() -> subprocess.Popen[bytes]:
        with (tmp_path / "collect.log").open("ab") as out:
            return subprocess.Popen(
                [sys.executable, "-c", "print('of today'); raise SystemExit(7)"], stdout=out
            )

    with pytest.raises(UnavailableError) as caught:
        supervisor.start(Part("collect", start, ready=lambda: False))

    assert caught.value.hint == f"The end of {tmp_path / 'collect.log'}:\n  of today"


def test_a_start_ends_when_it_is_told_to_stop(supervisor: Supervisor) -> None:
    stop = Stop()

    def ready() -> bool:
        stop.set()
        return False

    with pytest.raises(Stopped):
        supervisor.start(Part("ingest", python(FOREVER), ready), stop=stop)
    assert [entry.part.name for entry in supervisor.running] == ["ingest"]


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's signal is Linux's")
@pytest.mark.parametrize("known", [True, False])
def test_a_part_ends_with_a_parent_that_is_killed(tmp_path: Path, known: bool) -> None:
    child = (
        "import sys, time; from tidelake.pipeline.supervise import die_with_parent;"
        "die_with_parent(int(sys.argv[1]) if len(sys.argv) > 1 else None);"
        "print('bound', flush=True); time.sleep(600)"
    )
    parent = (
        "import os, subprocess, sys, time;"
        "me = [str(os.getpid())] if sys.argv[2:] else [];"
        "subprocess.Popen([sys.executable, '-c', sys.argv[1], *me]); time.sleep(600)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", parent, child, *(["known"] if known else [])],
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    with process.stdout:
        assert process.stdout.readline() == b"bound\n"
        process.kill()
        process.wait()
        assert process.stdout.read() == b""  # the end of the last one that could write to it


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's signal is Linux's")
def test_a_part_whose_parent_died_before_it_looked_ends() -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    code = (
        "import sys, time; from tidelake.pipeline.supervise import die_with_parent;"
        "die_with_parent(int(sys.argv[1])); time.sleep(600)"
    )

    done = subprocess.run([sys.executable, "-c", code, str(gone.pid)], timeout=60, check=False)
    assert done.returncode == -signal.SIGTERM


def test_parts_stop_in_the_order_in_which_events_flow(said: list[str]) -> None:
    stopped: list[str] = []
    supervisor = Supervisor(said.append)
    for name in ("ingest", "collect"):
        supervisor.start(Part(name, python(FOREVER)))
    processes = {entry.part.name: entry.process for entry in supervisor.running}
    ending = {name: process.send_signal for name, process in processes.items()}
    for name, process in processes.items():
        process.send_signal = lambda s, name=name: (stopped.append(name), ending[name](s))

    supervisor.stop()

    assert stopped == ["collect", "ingest"]
    assert {process.returncode for process in processes.values()} == {-signal.SIGTERM}


def test_a_part_that_does_not_stop_is_killed_and_reported(said: list[str]) -> None:
    stubborn = (
        "import signal, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "print('deaf', flush=True)\n"
        "time.sleep(600)"
    )
    supervisor = Supervisor(said.append)

    def start() -> subprocess.Popen[bytes]:
        process = subprocess.Popen([sys.executable, "-c", stubborn], stdout=subprocess.PIPE)
        assert process.stdout is not None
        process.stdout.readline()
        process.stdout.close()
        return process

    supervisor.start(Part("ingest", start, stop_within_s=0.2))
    process = supervisor.running[0].process

    supervisor.stop()

    assert process.returncode == -signal.SIGKILL
    assert said == ["ingest did not stop within 0 s: killed"]
