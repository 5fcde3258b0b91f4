"""Opens what every command stands on: the database, the catalog, the two tables."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tidelake.errors import SetupError
from tidelake.event.contract import EVENTS, REJECTED
from tidelake.lake.catalog import open_catalog
from tidelake.lake.tables import create_tables
from tidelake.pipeline.home import make_home
from tidelake.settings import Settings
from tidelake.warehouse.connect import borrowed
from tidelake.warehouse.masked import ensure_masked_raw
from tidelake.warehouse.migrate import migrate, one_at_a_time, require_migrated
from tidelake.warehouse.raw.tables import ensure_raw
from tidelake.warehouse.roles import grant_catalog, login_of, open_login
from tidelake.warehouse.session import connect

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog


@dataclass(frozen=True)
class Lakehouse:
    """An open lake: its settings, the database of its catalog and watermarks, the catalog.

    `database_url` is the login that was asked for; `owner_url` that of the database's owner, None
    where TIDELAKE_POSTGRES_URL names another login.
    """

    settings: Settings
    database_url: str
    catalog: Catalog
    owner_url: str | None


@contextmanager
def opened(
    settings: Settings, role: str | None = None, *, reads: bool = False
) -> Iterator[Lakehouse]:
    """The lakehouse of a home, its database migrated and its tables made where they are missing.

    The work then done in it is that of the login `role`; None is whoever the URL names, which is
    the owner unless the user says otherwise. Work that only `reads` does with another login than
    `role` where the URL names one, as on a machine that knows no other. An embedded PostgreSQL that
    does not run is started, and stopped again by the last command that uses it; one that runs
    (`tidelake up`) is used and left alone. Raises `SetupError` or `UnavailableError`.
    """
    make_home(settings.home)
    with borrowed(settings.home, settings.postgres.url or None) as database:
        lakehouse = attach(settings, database.url, role, reads=reads)
        try:
            yield lakehouse
        finally:
            lakehouse.catalog.close()  # its connections would keep the server from stopping


def attach(
    settings: Settings, database_url: str, role: str | None = None, *, reads: bool = False
) -> Lakehouse:
    """The lakehouse over a database that answers; the rest as `opened` says."""
    login = login_of(database_url)
    if not login.owner:
        if not reads:
            _require(role, login.name)
        require_migrated(database_url)
        return Lakehouse(settings, database_url, _with_tables(settings, database_url), None)
    migrate(database_url)
    with one_at_a_time(database_url):
        _make_raw(database_url)
        catalog = _with_tables(settings, database_url)
        if role is None:
            return Lakehouse(settings, database_url, catalog, database_url)
        catalog.close()
        grant_catalog(database_url)
        url = open_login(database_url, role)
    return Lakehouse(settings, url, catalog_of(settings, url), database_url)


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


def _make_raw(owner_url: str) -> None:
    with connect(owner_url) as connection:
        for contract in (EVENTS, REJECTED):
            ensure_raw(connection, contract)
        ensure_masked_raw(connection)


def _with_tables(settings: Settings, database_url: str) -> Catalog:
    catalog = catalog_of(settings, database_url)
    try:
        create_tables(catalog)
    except BaseException:
        catalog.close()
        raise
    return catalog


def _require(role: str | None, login: str) -> None:
    if role not in (None, login):
        raise SetupError(
            f"this part works as the login {role}, and TIDELAKE_POSTGRES_URL names {login}",
            hint=f"let it name {role}, or the database's owner, from whose password that of "
            f"{role} derives",
        )
