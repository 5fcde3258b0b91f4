"""The embedded server killed, left behind and run again: nothing acknowledged is lost."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor

import psycopg
from tests.warehouse.servers import ask, ask_nothing, data_of, postmaster_of, until

from tidelake.warehouse.account import unprivileged_account
from tidelake.warehouse.postmaster import alive
from tidelake.warehouse.server import EmbeddedPostgres


def test_every_acknowledged_commit_outlives_a_kill_of_the_postmaster(
    server: EmbeddedPostgres,
) -> None:
    url = server.url
    ask_nothing(url, "create table acknowledged (n int)")
    acknowledged: list[int] = []
    enough = threading.Event()

    def write() -> None:
        try:
            with psycopg.connect(url, autocommit=True) as connection:
                for number in range(1_000_000):
                    connection.execute("insert into acknowledged values (%s)", (number,))
                    acknowledged.append(number)
                    if number >= 50:
                        enough.set()
        except psycopg.OperationalError:
            enough.set()

    writer = threading.Thread(target=write)
    writer.start()
    assert enough.wait(30)
    os.kill(postmaster_of(server).pid, signal.SIGKILL)
    assert server.start() == url
    writer.join(30)
    rows = {row[0] for row in ask(url, "select n from acknowledged")}
    assert len(acknowledged) >= 50
    assert rows >= set(acknowledged)
    # A row whose answer was cut off may stand too, nothing else.
    assert rows - set(acknowledged) <= {len(acknowledged)}


def test_a_start_waits_for_a_backend_that_outlived_the_killed_postmaster(
    server: EmbeddedPostgres,
) -> None:
    with psycopg.connect(server.url) as connection:
        backend = connection.info.backend_pid
        os.kill(backend, signal.SIGSTOP)  # as busy as one can be
    killed = postmaster_of(server)
    os.kill(killed.pid, signal.SIGKILL)
    log = server.folder / "log" / "postgres.log"
    with ThreadPoolExecutor(1) as pool:
        starting = pool.submit(server.start)
        until(lambda: "is still in use" in log.read_text())
        os.kill(backend, signal.SIGCONT)
        assert ask(starting.result(30), "select 1") == [(1,)]
    assert postmaster_of(server).port == killed.port


def test_a_recorded_process_number_that_is_another_program_now_does_not_hinder_the_start(
    server: EmbeddedPostgres,
) -> None:
    url = server.url
    data = data_of(server)
    file = data / "postmaster.pid"
    lines = file.read_text().splitlines()
    os.kill(int(lines[0]), signal.SIGKILL)
    until(lambda: not alive(int(lines[0])))
    stranger = subprocess.Popen(["sleep", "60"], cwd="/", **unprivileged_account(data).as_user())
    try:
        file.write_text("\n".join([str(stranger.pid), *lines[1:]]) + "\n")
        assert not server.running()
        assert server.start() == url
        assert postmaster_of(server).pid != stranger.pid
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_child_is_waited_on_stopped_and_out_of_reach_of_ctrl_c(server: EmbeddedPostgres) -> None:
    child = server.run_child()
    assert postmaster_of(server).pid == child.pid
    assert os.getsid(child.pid) == child.pid
    assert server.health().ok
    server.stop()
    assert child.wait(5) == 0


def test_a_killed_child_is_run_again(server: EmbeddedPostgres) -> None:
    child = server.run_child()
    child.kill()
    assert child.wait(10) == -signal.SIGKILL
    again = server.run_child()
    assert again.pid != child.pid
    assert server.health().ok
    server.stop()
    assert again.wait(5) == 0


def test_run_child_takes_the_place_of_a_server_that_another_process_left(
    server: EmbeddedPostgres,
) -> None:
    url = server.url
    left = postmaster_of(server).pid
    child = EmbeddedPostgres(server.folder.parent).run_child()
    assert not alive(left)
    assert ask(url, "select 1") == [(1,)]
    server.stop()
    assert child.wait(5) == 0
