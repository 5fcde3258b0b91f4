from __future__ import annotations

import psycopg

from tidelake.warehouse.databases import fresh_database, with_database
from tidelake.warehouse.server import EmbeddedPostgres


def test_a_fresh_database_is_empty_and_belongs_to_the_login(
    postgres_server: EmbeddedPostgres,
) -> None:
    url = fresh_database(postgres_server.admin_url, "odd name", postgres_server.url)
    with psycopg.connect(url) as connection:
        connection.execute("create table public.leftover (n int)")
        connection.execute("create schema mine")
        assert connection.info.user == "tidelake"


def test_a_database_in_use_is_replaced_all_the_same(postgres_server: EmbeddedPostgres) -> None:
    url = fresh_database(postgres_server.admin_url, "busy", postgres_server.url)
    with psycopg.connect(url, autocommit=True) as user:
        user.execute("create table leftover (n int)")
        assert fresh_database(postgres_server.admin_url, "busy", postgres_server.url) == url
    with psycopg.connect(url) as connection:
        assert connection.execute("select to_regclass('leftover')").fetchone() == (None,)


def test_the_database_of_the_administration_url_itself_can_be_replaced(
    postgres_server: EmbeddedPostgres,
) -> None:
    admin_url = fresh_database(postgres_server.admin_url, "recovered")
    assert fresh_database(admin_url, "recovered") == admin_url


def test_both_forms_of_a_url_can_name_another_database() -> None:
    assert with_database("postgresql://u:p@h:1/a?sslmode=require", "b") == (
        "postgresql://u:p@h:1/b?sslmode=require"
    )
    assert with_database("host=h dbname=a", "b") == "dbname=b host=h"
