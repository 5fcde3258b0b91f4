"""The Iceberg catalog `lake`: PostgreSQL (or SQLite), Glue or REST, opened from plain arguments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tidelake.errors import UsageError
from tidelake.lake.trouble import translated

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog

CATALOG = "lake"
FILE_IO = "tidelake.lake.file_io.DurableFileIO"


def open_catalog(
    kind: str,
    warehouse: str,
    uri: str = "",
    *,
    endpoint_url: str = "",
    region: str = "",
) -> Catalog:
    """The catalog of `kind` (`sql`, `glue`, `rest`) over `warehouse` (`file://…` or `s3://…`).

    `uri` is `postgresql://…` or `sqlite://…` for `sql`, `http://…` for `rest`, unused for `glue`.
    `endpoint_url` is where S3 and Glue answer, empty for AWS itself. Raises `UnavailableError`
    where the catalog does not answer.
    """
    properties = {"warehouse": warehouse, "py-io-impl": FILE_IO, **_s3(endpoint_url, region)}
    with translated(f"open the {kind} catalog {_without_password(uri)}".rstrip()):
        if kind == "sql":
            return _sql(uri, properties)
        if kind == "glue":
            return _glue(endpoint_url, region, properties)
        if kind == "rest":
            return _rest(uri, properties)
    raise UsageError(f"{kind!r} is no catalog", hint="Choose sql, glue or rest.")


def _sql(uri: str, properties: dict[str, str]) -> Catalog:
    from pyiceberg.catalog.sql import SqlCatalog

    # Without the ping the first commit after a restart of PostgreSQL fails on a dead connection.
    return SqlCatalog(CATALOG, uri=_driver(uri), pool_pre_ping="true", **properties)


def _glue(endpoint_url: str, region: str, properties: dict[str, str]) -> Catalog:
    from pyiceberg.catalog.glue import GlueCatalog

    glue: dict[str, str | int] = {"glue.skip-archive": "true"}
    # A retry by botocore after a lost answer sees its own commit as another's: ours decides.
    # The value must be an int; a string is handed to botocore as it is.
    glue["glue.max-retries"] = 1
    if endpoint_url:
        glue["glue.endpoint"] = endpoint_url
    if region:
        glue["glue.region"] = region
    return GlueCatalog(CATALOG, **properties, **glue)


def _rest(uri: str, properties: dict[str, str]) -> Catalog:
    from pyiceberg.catalog.rest import RestCatalog

    return RestCatalog(CATALOG, uri=uri, **properties)


def _s3(endpoint_url: str, region: str) -> dict[str, str]:
    given = {"s3.endpoint": endpoint_url, "s3.region": region}
    return {name: value for name, value in given.items() if value}


def _driver(uri: str) -> str:
    """SQLAlchemy takes `postgresql://` for psycopg 2; ours is psycopg 3."""
    scheme, separator, rest = uri.partition("://")
    return f"postgresql+psycopg{separator}{rest}" if scheme in ("postgresql", "postgres") else uri


def _without_password(uri: str) -> str:
    scheme, separator, rest = uri.partition("://")
    return f"{scheme}{separator}{rest.rpartition('@')[2]}"
