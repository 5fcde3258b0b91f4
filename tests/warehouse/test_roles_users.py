"""People's logins: added, listed, given passwords and removed, through `tidelake user` too."""

from __future__ import annotations

import json
from collections.abc import Iterator

import psycopg
import pytest
from typer.testing import CliRunner, Result

from tidelake.cli.app import app
from tidelake.errors import SetupError, UsageError
from tidelake.pipeline import users as pipeline
from tidelake.settings import Postgres, Settings
from tidelake.warehouse.databases import fresh_database
from tidelake.warehouse.roles import as_login, login_url, open_login
from tidelake.warehouse.server import EmbeddedPostgres
from tidelake.warehouse.session import Connection, connect
from tidelake.warehouse.users import User, add_user, change_password, remove_user, users

SECRET = "long enough"


@pytest.fixture
def owner(url: str) -> Iterator[Connection]:
    """The owner's connection; users belong to the server, so they are removed at the end."""
    with connect(url) as connection:
        yield connection
        for user in users(connection):
            remove_user(connection, user.name, drop_schema=True)


def logged_in(url: str, name: str, password: str = SECRET) -> psycopg.Connection:
    return psycopg.connect(as_login(url, name, password), autocommit=True)


def test_users_are_listed_with_their_roles_and_schemas(owner: Connection) -> None:
    add_user(owner, "bob", "developer", SECRET)
    add_user(owner, "ana-maria.b", "analyst", SECRET)
    add_user(owner, "pia", "pii_reader", SECRET)
    assert users(owner) == [
        User("ana-maria.b", "analyst", None),
        User("bob", "developer", "bob"),
        User("pia", "pii_reader", None),
    ]


@pytest.mark.parametrize(
    "name",
    ["", "Ana", "1st", "a" * 64, 'x"; drop role ingest; --', "a b", "ana\n", "ä", "-ana", "a'b"],
)
def test_a_name_that_could_be_more_than_a_name_is_refused(owner: Connection, name: str) -> None:
    with pytest.raises(UsageError, match="can not be a user's name"):
        add_user(owner, name, "developer", SECRET)
    assert users(owner) == []


@pytest.mark.parametrize(
    "name", ["ingest", "analyst", "tidelake", "postgres", "silver", "raw", "public", "pg_x", "gold"]
)
def test_a_name_that_means_something_already_is_taken(owner: Connection, name: str) -> None:
    with pytest.raises(UsageError, match=f"the name {name} is taken"):
        add_user(owner, name, "developer", SECRET)


@pytest.mark.parametrize("role", ["ingest", "silver_owner", "postgres", "", 'analyst"'])
def test_people_get_no_other_role_than_the_three(owner: Connection, role: str) -> None:
    with pytest.raises(UsageError, match="is no role for people"):
        add_user(owner, "eve", role, SECRET)


@pytest.mark.parametrize("password", ["", "short", "with\nline end"])
def test_a_weak_password_is_refused_and_nothing_is_made(owner: Connection, password: str) -> None:
    with pytest.raises(UsageError, match="the password"):
        add_user(owner, "eve", "developer", password)
    assert users(owner) == []


def test_a_password_may_hold_any_printable_character(owner: Connection, url: str) -> None:
    hard = "p@ss:w/o?rd#'\"\\ %41 ü"
    add_user(owner, "eve", "analyst", hard)
    with logged_in(url, "eve", hard) as connection:
        assert connection.info.user == "eve"


def test_another_password_replaces_the_old_one(owner: Connection, url: str) -> None:
    add_user(owner, "eve", "analyst", SECRET)
    change_password(owner, "eve", "another one")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        logged_in(url, "eve")
    logged_in(url, "eve", "another one").close()


@pytest.mark.parametrize("name", ["ingest", "analyst", "postgres", "nobody-here"])
def test_only_users_are_changed_and_removed(owner: Connection, name: str) -> None:
    with pytest.raises(UsageError, match="tidelake has made no user"):
        change_password(owner, name, SECRET)
    with pytest.raises(UsageError, match="tidelake has made no user"):
        remove_user(owner, name, drop_schema=True)


def test_a_user_who_owns_tables_is_kept_unless_they_may_go(owner: Connection, url: str) -> None:
    add_user(owner, "bob", "developer", SECRET)
    with logged_in(url, "bob") as bob:
        bob.execute("create table notes (n int)")
        bob.execute("create function one() returns int language sql as 'select 1'")
    with pytest.raises(UsageError, match=r"bob owns 2 .*: bob\.notes, bob\.one\(\)") as caught:
        remove_user(owner, "bob")
    assert "--drop-schema" in caught.value.hint
    logged_in(url, "bob").close()
    remove_user(owner, "bob", drop_schema=True)
    assert users(owner) == []
    assert owner.execute("select to_regnamespace('bob')").fetchone() == (None,)


def test_the_sessions_of_a_removed_user_end(owner: Connection, url: str) -> None:
    add_user(owner, "eve", "analyst", SECRET)
    with logged_in(url, "eve") as eve:
        remove_user(owner, "eve")
        with pytest.raises(psycopg.OperationalError):
            eve.execute("select 1")


def test_what_others_have_built_on_a_users_tables_is_not_deleted(
    owner: Connection, url: str
) -> None:
    add_user(owner, "bob", "developer", SECRET)
    add_user(owner, "eve", "developer", SECRET)
    with logged_in(url, "bob") as bob:
        bob.execute("create table notes (n int); grant usage on schema bob to eve")
        bob.execute("grant select on notes to eve")
    with logged_in(url, "eve") as eve:
        eve.execute("create view on_bobs as select * from bob.notes")
    with pytest.raises(SetupError, match=r"view eve\.on_bobs depends on table bob\.notes"):
        remove_user(owner, "bob", drop_schema=True)
    remove_user(owner, "eve", drop_schema=True)
    remove_user(owner, "bob", drop_schema=True)


def test_what_a_user_owns_in_another_database_keeps_the_login(
    owner: Connection, url: str, postgres_server: EmbeddedPostgres
) -> None:
    add_user(owner, "bob", "developer", SECRET)
    other = fresh_database(postgres_server.admin_url, "elsewhere", postgres_server.url)
    with connect(other) as elsewhere:
        elsewhere.execute("create schema bob authorization bob")
    with pytest.raises(SetupError, match="can not log in any more, and is not removed"):
        remove_user(owner, "bob")
    with pytest.raises(psycopg.OperationalError, match="not permitted to log in"):
        logged_in(url, "bob")
    fresh_database(postgres_server.admin_url, "elsewhere", postgres_server.url)
    remove_user(owner, "bob")


@pytest.fixture
def settings(tmp_path_factory: pytest.TempPathFactory, url: str) -> Settings:
    return Settings(home=tmp_path_factory.mktemp("home"), postgres=Postgres(url=url))


@pytest.fixture
def tidelake(
    settings: Settings, owner: Connection, monkeypatch: pytest.MonkeyPatch
) -> Iterator[object]:
    monkeypatch.setenv("TIDELAKE_POSTGRES_URL", settings.postgres.url)

    def run(*arguments: str, stdin: str = "") -> Result:
        command = ["--home", str(settings.home), "user", *arguments]
        return CliRunner().invoke(app, command, input=stdin)

    return run


def test_add_shows_the_password_once_and_an_address_that_works(tidelake) -> None:
    done = tidelake("add", "ana", "--role", "analyst")
    assert done.exit_code == 0, done.output
    said = dict(line.split(maxsplit=1) for line in done.output.splitlines())
    assert said["user"] == "ana (analyst)"
    assert said["password"].split()[0] in said["url"]
    psycopg.connect(said["url"]).close()
    again = tidelake("password", "ana").output
    psycopg.connect(again.split()[-1]).close()
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(said["url"])


def test_a_password_from_stdin_is_not_shown(tidelake, url: str) -> None:
    done = tidelake("add", "bob", "--role", "developer", "--password-stdin", stdin=f"{SECRET}\n")
    assert done.exit_code == 0, done.output
    assert SECRET not in done.output
    logged_in(url, "bob").close()
    assert isinstance(tidelake("password", "bob", "--password-stdin").exception, UsageError)


def test_list_and_remove_name_the_users(tidelake) -> None:
    assert tidelake("list").output.startswith("none")
    tidelake("add", "bob", "--role", "developer")
    assert tidelake("list").output.split() == ["user", "role", "schema", "bob", "developer", "bob"]
    assert json.loads(tidelake("list", "--json").output) == [
        {"name": "bob", "role": "developer", "schema": "bob"}
    ]
    assert tidelake("remove", "bob").output == "bob is removed\n"
    assert json.loads(tidelake("list", "--json").output) == []


def test_only_the_owner_makes_users(settings: Settings, url: str) -> None:
    open_login(url, "ingest")
    as_ingest = Settings(home=settings.home, postgres=Postgres(url=login_url(url, "ingest")))
    with pytest.raises(SetupError, match="names ingest, who may not make users"):
        pipeline.add(as_ingest, "eve", "analyst")
