from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from tidelake.errors import SetupError, TidelakeError, UnavailableError
from tidelake.warehouse import connect
from tidelake.warehouse.databases import with_database
from tidelake.warehouse.identity import free_port
from tidelake.warehouse.server import EmbeddedPostgres
from tidelake.warehouse.session import Session


def test_a_configured_server_is_used_and_none_is_started(
    tmp_path: Path, postgres_server: EmbeddedPostgres
) -> None:
    database = connect.resolve(tmp_path / "home", postgres_server.url)
    assert database == connect.Database(postgres_server.url, postgres_server.url, None)
    assert not database.embedded
    assert not (tmp_path / "home").exists()


def test_without_a_configured_server_the_embedded_one_of_the_home_is_used(
    postgres_server: EmbeddedPostgres,
) -> None:
    database = connect.resolve(postgres_server.folder.parent, None)
    assert (database.url, database.admin_url) == (postgres_server.url, postgres_server.admin_url)
    assert database.embedded


def test_a_command_can_borrow_either(tmp_path: Path, postgres_server: EmbeddedPostgres) -> None:
    with connect.borrowed(tmp_path, postgres_server.url) as database:
        assert database == connect.Database(postgres_server.url, postgres_server.url, None)
    with connect.borrowed(postgres_server.folder.parent, None) as database:
        assert (database.url, database.embedded) == (postgres_server.url, True)
    assert postgres_server.running()


def test_a_wrong_password_is_refused_without_showing_it(
    tmp_path: Path, postgres_server: EmbeddedPostgres
) -> None:
    wrong = postgres_server.url.replace("tidelake:", "tidelake:not-the-password-", 1)
    with pytest.raises(SetupError, match="password authentication failed") as caught:
        connect.resolve(tmp_path, wrong)
    assert "not-the-password" not in str(caught.value)
    assert "TIDELAKE_POSTGRES_URL" in caught.value.hint


def test_a_server_that_does_not_answer_is_passing_trouble(tmp_path: Path) -> None:
    port = free_port()
    with pytest.raises(UnavailableError, match=f"127.0.0.1:{port}/db does not answer") as caught:
        connect.resolve(tmp_path, f"postgresql://u:p@127.0.0.1:{port}/db")
    assert "TIDELAKE_POSTGRES_URL" in caught.value.hint


def test_a_database_that_does_not_exist_is_named(
    tmp_path: Path, postgres_server: EmbeddedPostgres
) -> None:
    with pytest.raises(SetupError, match='database "nowhere" does not exist'):
        connect.resolve(tmp_path, with_database(postgres_server.url, "nowhere"))


def test_a_server_that_is_too_old_is_refused(
    tmp_path: Path, postgres_server: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connect, "OLDEST_SUPPORTED", 99)
    with pytest.raises(SetupError, match="is PostgreSQL 18, and tidelake needs 99 or newer"):
        connect.resolve(tmp_path, postgres_server.url)


@pytest.mark.parametrize(
    "unreadable", ["secret@host", "postgresql://u:secret@h:port/x", "x=secret"]
)
def test_a_url_that_cannot_be_read_is_not_repeated(tmp_path: Path, unreadable: str) -> None:
    with pytest.raises(TidelakeError) as caught:
        connect.resolve(tmp_path, unreadable)
    assert "secret" not in str(caught.value)


def test_a_session_connects_again_once_its_connection_broke(url: str) -> None:
    session = Session(url)

    def my_backend() -> int:
        number: int = session.run(lambda c: c.execute("select pg_backend_pid()").fetchone()[0])
        return number

    first = my_backend()
    assert my_backend() == first
    with psycopg.connect(url, autocommit=True) as other:
        other.execute("select pg_terminate_backend(%s, 5000)", (first,))
    assert my_backend() != first
    session.close()


def test_a_session_does_each_piece_of_work_whole_or_not_at_all(url: str) -> None:
    session = Session(url)
    with pytest.raises(SetupError, match="division by zero"):
        session.run(lambda c: [c.execute("create table half (n int)"), c.execute("select 1/0")])
    assert session.run(lambda c: c.execute("select to_regclass('half')").fetchone()) == (None,)
    session.close()


def test_a_session_on_a_given_connection_joins_its_transaction(url: str) -> None:
    with psycopg.connect(url) as mine:
        Session(mine).run(lambda c: c.execute("create table joined (n int)"))
        mine.rollback()
        assert mine.execute("select to_regclass('joined')").fetchone() == (None,)
