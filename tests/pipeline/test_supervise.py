"""Parts are started, restarted when they die, and stopped in order."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable

import pytest

from tidelake.errors import SetupError, UnavailableError
from tidelake.pipeline.supervise import Part, Supervisor


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
