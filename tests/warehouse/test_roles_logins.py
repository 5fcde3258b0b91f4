"""Roles belong to a whole server: made once, whoever is first, and never taken from others."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from tidelake.errors import SetupError
from tidelake.warehouse.connect import OLDEST_SUPPORTED
from tidelake.warehouse.databases import fresh_database, with_database
from tidelake.warehouse.install import wheel_root
from tidelake.warehouse.migrate import migrate
from tidelake.warehouse.roles import as_login, login_of, login_url, open_login, set_passwords
from tidelake.warehouse.server import EmbeddedPostgres

OWNER = "postgresql://tidelake:secret@db.example:5432/tidelake?sslmode=require"


def test_a_logins_password_derives_from_the_owners() -> None:
    url = login_url(OWNER, "ingest")
    assert url == (
        "postgresql://ingest:"  # printf ingest | openssl dgst -sha256 -hmac secret
        "162a1540d9e560619e65846ad1b9099f1a23af571545906665eeb72a3dc32605"
        "@db.example:5432/tidelake?sslmode=require"
    )
    assert login_url(OWNER, "transform") != login_url(OWNER, "ingest")
    assert login_url(OWNER.replace("secret", "other"), "ingest") != url


def test_without_the_owners_password_there_is_none_to_derive() -> None:
    with pytest.raises(SetupError, match="has no password") as caught:
        login_url("postgresql://tidelake@db.example/tidelake", "ingest")
    assert "TIDELAKE_POSTGRES_URL" in caught.value.hint


def test_every_form_of_a_url_takes_another_login() -> None:
    assert as_login("postgresql://h/d", "a b", "p@/:") == "postgresql://a%20b:p%40%2F%3A@h/d"
    assert as_login("postgresql://h1:1,h2:2/d?user=me&password=x&connect_timeout=3", "you") == (
        "postgresql://you@h1:1,h2:2/d?connect_timeout=3"
    )
    words = as_login("host=h user=me password=x dbname=d", "you", "y")
    assert conninfo_to_dict(words) == {"host": "h", "user": "you", "password": "y", "dbname": "d"}
    words = as_login("host=h user=me password=x dbname=d", "you")
    assert conninfo_to_dict(words) == {"host": "h", "user": "you", "dbname": "d"}


def test_a_login_that_is_refused_gets_its_password_again(
    url: str, postgres_server: EmbeddedPostgres
) -> None:
    with psycopg.connect(postgres_server.admin_url, autocommit=True) as admin:
        admin.execute("alter role ingest password 'changed by somebody'")
    assert open_login(url, "ingest") == login_url(url, "ingest")
    assert login_of(login_url(url, "ingest")) == ("ingest", False)
    assert login_of(url) == ("tidelake", True)


def test_passwords_that_are_set_at_once_from_several_databases_are_all_set(
    postgres_server: EmbeddedPostgres, url: str
) -> None:
    other = fresh_database(postgres_server.admin_url, "beside", postgres_server.url)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(set_passwords, [url, other] * 4))
    assert open_login(url, "dashboard") == login_url(url, "dashboard")


def test_the_password_itself_is_not_sent(url: str, postgres_server: EmbeddedPostgres) -> None:
    set_passwords(url, ("ingest",))
    with psycopg.connect(postgres_server.admin_url) as admin:
        query = "select rolpassword like 'SCRAM-SHA-256$%' from pg_authid where rolname = 'ingest'"
        assert admin.execute(query).fetchone() == (True,)


def installs() -> list[Path | None]:
    """The wheel brings a second, older PostgreSQL, in which whoever makes roles may do more."""
    older = wheel_root().with_name("pginstall")
    return [None, *([older] if (older / "bin" / "postgres").exists() else [])]


@pytest.fixture(scope="module", params=installs(), ids=lambda root: "older" if root else "newest")
def lone_server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, shelter: Path
) -> Iterator[EmbeddedPostgres]:
    """A server that no tidelake has made roles on."""
    home = tmp_path_factory.mktemp("lone")
    made = EmbeddedPostgres(home, install=request.param, shelter=shelter)
    made.start()
    yield made
    made.erase()


@pytest.fixture
def rolelessly(lone_server: EmbeddedPostgres) -> Iterator[psycopg.Connection]:
    """The superuser; after the test the server has neither databases nor roles of tidelake."""
    with psycopg.connect(
        with_database(lone_server.admin_url, "postgres"), autocommit=True
    ) as admin:
        assert admin.info.server_version // 10000 >= OLDEST_SUPPORTED
        yield admin
        for query in (
            "select format('drop database %I', datname) from pg_database where datname like 'new%'",
            "select format('drop role %I', rolname) from pg_roles "
            "where rolname <> 'tidelake' and rolname !~ '^(pg_|postgres)'",
        ):
            for (drop,) in admin.execute(query).fetchall():
                admin.execute(drop)
        admin.execute("alter role tidelake createrole")


def test_databases_of_a_new_server_that_migrate_at_once_share_the_roles(
    lone_server: EmbeddedPostgres, rolelessly: psycopg.Connection
) -> None:
    urls = [fresh_database(lone_server.admin_url, f"new{n}", lone_server.url) for n in range(4)]
    with ThreadPoolExecutor(4) as pool:
        applied = list(pool.map(migrate, urls))
    assert all("0004_roles" in names for names in applied)
    assert [login_of(open_login(url, "transform")).name for url in urls] == ["transform"] * 4


def test_a_role_of_that_name_that_tidelake_did_not_make_is_left_alone(
    lone_server: EmbeddedPostgres, rolelessly: psycopg.Connection
) -> None:
    url = fresh_database(lone_server.admin_url, "new", lone_server.url)
    rolelessly.execute("create role analyst")
    with pytest.raises(SetupError, match="has a role analyst that tidelake did not make") as caught:
        migrate(url)
    assert "comment on role analyst is 'made by tidelake'" in caught.value.message


def test_an_owner_who_may_not_make_roles_is_told_what_to_ask_for(
    lone_server: EmbeddedPostgres, rolelessly: psycopg.Connection
) -> None:
    url = fresh_database(lone_server.admin_url, "new", lone_server.url)
    rolelessly.execute("alter role tidelake nocreaterole")
    with pytest.raises(SetupError, match="tidelake may not create the role") as caught:
        migrate(url)
    assert "alter role tidelake createrole" in caught.value.message


def test_roles_of_another_owner_are_not_taken_over(
    lone_server: EmbeddedPostgres, rolelessly: psycopg.Connection
) -> None:
    first = fresh_database(lone_server.admin_url, "new", lone_server.url)
    migrate(first)
    rolelessly.execute("create role second login createrole password 'second'")
    url = fresh_database(
        lone_server.admin_url, "new2", as_login(lone_server.url, "second", "second")
    )
    if rolelessly.info.server_version < 160000:  # there every maker of roles administers all
        migrate(url)
        return
    with pytest.raises(SetupError, match="second may not grant the role raw_owner") as caught:
        migrate(url)
    assert "with admin option" in caught.value.message


def test_the_owner_of_an_older_home_is_let_make_roles_at_the_next_start(
    lone_server: EmbeddedPostgres, rolelessly: psycopg.Connection
) -> None:
    rolelessly.execute("alter role tidelake nocreaterole")
    lone_server.start()
    look = "select rolcreaterole, rolsuper from pg_roles where rolname = 'tidelake'"
    assert rolelessly.execute(look).fetchone() == (True, False)
