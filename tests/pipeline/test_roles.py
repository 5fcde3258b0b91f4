"""Each part works as its own login; what is missing is made by the owner before."""

from __future__ import annotations

from contextlib import closing

import psycopg
import pytest

from tidelake.errors import SetupError
from tidelake.lake.tables import load_table
from tidelake.pipeline.lakehouse import attach, opened
from tidelake.settings import Settings
from tidelake.warehouse.roles import as_login, login_url


def test_a_part_works_as_its_login_on_what_the_owner_has_made(home_settings: Settings) -> None:
    with opened(home_settings, role="ingest") as lakehouse:
        assert lakehouse.owner_url == home_settings.postgres.url
        assert user_of(lakehouse.database_url) == "ingest"
        assert load_table(lakehouse.catalog, "events").metadata.current_snapshot() is None
        with psycopg.connect(lakehouse.database_url) as connection:
            assert connection.execute("select count(*) from raw.events").fetchone() == (0,)
    with (
        opened(home_settings, role="dashboard") as lakehouse,
        psycopg.connect(lakehouse.database_url) as connection,
    ):
        assert connection.execute("select count(*) from silver.raw_events").fetchone() == (0,)


def test_without_a_role_the_work_is_the_owners(home_settings: Settings) -> None:
    with opened(home_settings) as lakehouse:
        assert lakehouse.database_url == lakehouse.owner_url == home_settings.postgres.url


def test_on_a_machine_that_knows_one_login_its_part_works(home_settings: Settings) -> None:
    with opened(home_settings, role="ingest") as lakehouse:
        url = lakehouse.database_url
    for role in ("ingest", None):
        lakehouse = attach(home_settings, url, role)
        with closing(lakehouse.catalog):
            assert (lakehouse.database_url, lakehouse.owner_url) == (url, None)
            assert load_table(lakehouse.catalog, "events").name()[-1] == "events"


def test_a_login_of_another_part_is_named(home_settings: Settings) -> None:
    with opened(home_settings, role="ingest") as lakehouse:
        url = lakehouse.database_url
    with pytest.raises(SetupError, match="login transform, and TIDELAKE_POSTGRES_URL names ingest"):
        attach(home_settings, url, "transform")


def test_a_login_that_may_not_migrate_says_who_must(home_settings: Settings) -> None:
    with opened(home_settings, role="ingest") as lakehouse:
        url = lakehouse.database_url
    with psycopg.connect(home_settings.postgres.url) as owner:
        owner.execute(
            "delete from tidelake.migrations where name = (select max(name) from "
            "tidelake.migrations)"
        )
    with pytest.raises(SetupError, match=r"lacks the migration .* may not apply it") as caught:
        attach(home_settings, url, "ingest")
    assert "tidelake init" in caught.value.hint


def test_an_owner_without_a_password_in_the_url_is_told(home_settings: Settings) -> None:
    url = home_settings.postgres.url
    with opened(home_settings):
        pass
    with pytest.raises(SetupError, match="has no password"):
        login_url(as_login(url, "tidelake"), "ingest")


def user_of(url: str) -> str:
    with psycopg.connect(url) as connection:
        return connection.info.user
