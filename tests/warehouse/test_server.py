"""The embedded server: set up once, found again, apart from others."""

from __future__ import annotations

import socket
import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.warehouse.servers import ask, ask_nothing, postmaster_of

from tidelake.errors import SetupError
from tidelake.warehouse.server import EmbeddedPostgres

StartServer = Callable[[str], EmbeddedPostgres]


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
