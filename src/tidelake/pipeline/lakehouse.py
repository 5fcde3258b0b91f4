"""Opens what every command stands on: the database, the catalog, the two tables."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tidelake.errors import SetupError
from tidelake.lake.catalog import open_catalog
from tidelake.lake.tables import create_tables
from tidelake.pipeline.home import make_home
from tidelake.settings import Settings
from tidelake.warehouse.connect import borrowed
from tidelake.warehouse.migrate import migrate, one_at_a_time

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog


@dataclass(frozen=True)
class Lakehouse:
    """An open lake: its settings, the database of its catalog and watermarks, the catalog."""

    settings: Settings
    database_url: str
    catalog: Catalog


@contextmanager
def opened(settings: Settings) -> Iterator[Lakehouse]:
    """The lakehouse of a home, its database migrated and its tables made where they are missing.

    An embedded PostgreSQL that does not run is started, and stopped again by the last command that
    uses it; one that runs (`tidelake up`) is used and left alone. Raises `SetupError` or
    `UnavailableError`.
    """
    make_home(settings.home)
    with borrowed(settings.home, settings.postgres.url or None) as database:
        lakehouse = attach(settings, database.url)
        try:
            yield lakehouse
        finally:
            lakehouse.catalog.close()  # its connections would keep the server from stopping


def attach(settings: Settings, database_url: str) -> Lakehouse:
    """The lakehouse over a database that answers."""
    migrate(database_url)
    with one_at_a_time(database_url):
        catalog = catalog_of(settings, database_url)
        try:
            create_tables(catalog)
        except BaseException:
            catalog.close()
            raise
    return Lakehouse(settings, database_url, catalog)


def catalog_of(settings: Settings, database_url: str) -> Catalog:
    """The catalog that the settings name; its tables may not be there."""
    if settings.lake.catalog == "rest" and not settings.lake.catalog_uri:
        raise SetupError(
            "the catalog is rest, and its address is empty",
            hint="Set TIDELAKE_LAKE_CATALOG_URI, such as http://127.0.0.1:8181.",
        )
    return open_catalog(
        settings.lake.catalog,
        settings.warehouse,
        database_url if settings.lake.catalog == "sql" else settings.lake.catalog_uri,
        endpoint_url=settings.aws.endpoint_url,
        region=settings.aws.region,
    )
