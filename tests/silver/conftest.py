"""One silver for the whole run: dbt is parsed once, and every test brings loads of its own."""

from __future__ import annotations

import pytest
from tests.silver.stand import Stand

from tidelake.warehouse.databases import fresh_database
from tidelake.warehouse.migrate import migrate
from tidelake.warehouse.roles import open_login
from tidelake.warehouse.server import EmbeddedPostgres


@pytest.fixture(scope="session")
def silver(postgres_server: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory) -> Stand:
    """Silver that stands at the last window of the test before."""
    return new_stand(postgres_server, "silver_tests", tmp_path_factory)


@pytest.fixture(scope="session")
def other_silver(
    postgres_server: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory, silver: Stand
) -> Stand:
    """A second one beside it, which hashes with the same key."""
    other = new_stand(postgres_server, "other_silver_tests", tmp_path_factory)
    other.use_masking_key_of(silver)
    return other


def new_stand(
    server: EmbeddedPostgres, name: str, tmp_path_factory: pytest.TempPathFactory
) -> Stand:
    url = fresh_database(server.admin_url, name, server.url)
    migrate(url)
    return Stand(url, open_login(url, "transform"), tmp_path_factory.mktemp(name))
