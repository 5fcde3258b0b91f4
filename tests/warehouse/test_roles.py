"""What each login may do is what docs/permissions.md says, and nothing personal gets past it."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from tests.warehouse import roles_table
from tests.warehouse.roles_table import PERSONAL, Stage

from tidelake.event.contract import EVENTS
from tidelake.warehouse.server import EmbeddedPostgres

DOCUMENT = Path(__file__).parents[2] / "docs" / "permissions.md"


@pytest.fixture(scope="module")
def stage(
    postgres_server: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stage]:
    with roles_table.staged(postgres_server, tmp_path_factory.mktemp("stage")) as made:
        yield made


def test_every_login_may_do_what_is_planned_and_nothing_else(stage: Stage) -> None:
    assert roles_table.tried(stage) == roles_table.expected()


def test_through_duckdb_every_login_may_do_the_same(stage: Stage) -> None:
    assert roles_table.tried_through_duckdb(stage) == roles_table.expected(through_duckdb=True)


def test_the_document_shows_the_actions_that_are_tried() -> None:
    shown = [line for line in DOCUMENT.read_text("utf-8").splitlines() if line.startswith("|")]
    made = roles_table.markdown().splitlines()
    assert shown[: len([line for line in made if line])] == [line for line in made if line], (
        "write it anew: python -m tests.warehouse.roles_table --markdown"
    )


@pytest.mark.parametrize("login", ["dashboard", "analyst", "developer"])
def test_the_masked_view_shows_no_personal_field(stage: Stage, login: str) -> None:
    with psycopg.connect(stage.urls[login]) as connection:
        cursor = connection.execute("select * from silver.raw_events")
        row = cursor.fetchone()
        names = {column.name for column in cursor.description or ()}
    assert row is not None
    assert PERSONAL not in str(row)
    assert not names & {field.name for field in EVENTS if field.personal}
    assert {"event_key", "event_time", "page_path", "order_total", "user_key"} <= names


def test_a_masked_id_is_the_hmac_of_project_kind_and_id(stage: Stage) -> None:
    with psycopg.connect(stage.urls["owner"]) as connection:
        (key,) = one(connection, "select key from silver_pii.masking_key")
        seen = one(connection, "select user_key, anonymous_key, session_key from silver.raw_events")
        by_function = one(
            connection,
            "select silver_pii.keyed_hash(concat_ws(chr(31), 'shop', 'user', %s::text))",
            PERSONAL,
        )
    wanted = [masked(key, "shop", kind, PERSONAL) for kind in ("user", "anonymous", "session")]
    assert list(seen) == wanted
    assert by_function == (wanted[0],)


def test_a_masked_id_stays_null_without_an_id(stage: Stage) -> None:
    with psycopg.connect(stage.urls["owner"]) as connection:
        assert one(connection, "select silver_pii.keyed_hash(null)") == (None,)


def test_each_database_has_a_key_of_its_own(stage: Stage, url: str) -> None:
    keys = set()
    for place in (stage.urls["owner"], url):
        with psycopg.connect(place) as connection:
            keys.add(one(connection, "select key from silver_pii.masking_key"))
    assert len(keys) == 2


def test_what_the_server_knows_of_personal_columns_is_not_shown_to_others(stage: Stage) -> None:
    look = "select count(*) from pg_stats where schemaname in ('raw', 'silver_pii')"
    with psycopg.connect(stage.urls["owner"], autocommit=True) as owner:
        owner.execute("analyze raw.events, silver_pii.users, silver_pii.masking_key")
        assert one(owner, look)[0] > 0
    for login in ("dashboard", "analyst", "developer"):
        with psycopg.connect(stage.urls[login]) as connection:
            assert one(connection, look) == (0,)


@pytest.mark.parametrize(
    ("login", "timeout", "read_only", "connections"),
    [
        ("dashboard", "10s", "on", 20),
        ("analyst", "1min", "on", 5),
        ("pii_reader", "1min", "on", 5),
        ("developer", "5min", "off", 10),
        ("ingest", "0", "off", 30),
        ("transform", "0", "off", 30),
    ],
)
def test_limits_keep_a_login_from_taking_the_server(
    stage: Stage, login: str, timeout: str, read_only: str, connections: int
) -> None:
    with psycopg.connect(stage.urls[login]) as connection:
        assert one(connection, "show statement_timeout") == (timeout,)
        assert one(connection, "show transaction_read_only") == (read_only,)
        look = "select rolconnlimit, rolsuper from pg_roles where rolname = current_user"
        assert one(connection, look) == (connections, False)


def test_a_login_beyond_its_connections_is_turned_away(stage: Stage) -> None:
    open_ones = [psycopg.connect(stage.urls["analyst"]) for _ in range(5)]
    try:
        with pytest.raises(psycopg.OperationalError, match="too many connections for role"):
            psycopg.connect(stage.urls["analyst"])
    finally:
        for connection in open_ones:
            connection.close()


def test_a_developers_unqualified_names_are_their_own_tables_then_silver(stage: Stage) -> None:
    with psycopg.connect(stage.urls["developer"]) as connection:
        connection.execute("create table mine as select * from sessions")
        found = one(connection, "select to_regclass('mine')::oid = to_regclass(%s)::oid", "mine")
        assert found == (True,)
        own = one(connection, "select current_schema()")
        assert own == (stage.names["own"],)
        connection.rollback()


def test_a_login_of_the_server_that_is_no_member_can_not_connect(
    stage: Stage, postgres_server: EmbeddedPostgres
) -> None:
    with psycopg.connect(postgres_server.admin_url, autocommit=True) as admin:
        admin.execute("create role stranger login password 'stranger'")
        try:
            place = stage.urls["owner"].rpartition("@")[2]
            with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
                psycopg.connect(f"postgresql://stranger:stranger@{place}")
        finally:
            admin.execute("drop role stranger")


def test_the_owner_is_no_superuser(stage: Stage) -> None:
    with psycopg.connect(stage.urls["owner"]) as connection:
        look = "select rolsuper, rolcreaterole, rolbypassrls, rolcreatedb from pg_roles "
        assert one(connection, look + "where rolname = current_user") == (False, True, False, False)


def masked(key: bytes, *parts: str) -> UUID:
    digest = hmac.new(key, "\x1f".join(parts).encode(), hashlib.sha256).digest()
    return UUID(bytes=digest[:16])


def one(connection: psycopg.Connection, query: str, *values: object) -> tuple:
    found = connection.execute(query.encode(), values or None).fetchone()
    assert found is not None
    return found
