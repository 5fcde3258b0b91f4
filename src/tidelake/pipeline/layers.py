"""All layers in one DuckDB connection: `lake.events`, `silver.sessions`, `gold.daily_traffic` …

    lake      the Iceberg tables, now or as of before
    silver    PostgreSQL, attached as `warehouse` with the login `dashboard`: no personal fields
    raw       PostgreSQL, attached as `warehouse_raw` with the login `transform`, which may read it
    gold      the published file, attached as `published`

All attached read-only; filters are pushed down to PostgreSQL. A layer that is not there yet is no
error before somebody asks for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from tidelake.errors import TidelakeError, UnavailableError, UsageError
from tidelake.extensions import load_extensions
from tidelake.lake.query import connect
from tidelake.pipeline import published
from tidelake.pipeline.lakehouse import Lakehouse
from tidelake.settings import masked
from tidelake.warehouse import session
from tidelake.warehouse.masked import VIEW as MASKED_RAW
from tidelake.warehouse.roles import open_login

if TYPE_CHECKING:
    import duckdb

Layer = Literal["lake", "raw", "silver", "gold", "all"]

#: In the order in which a bare name is looked for: `events` is the lake's, as it always was.
LAYERS = ("lake", "silver", "gold", "raw")
PERSONAL = "silver_pii"

READ_ONLY = "-c default_transaction_read_only=on -c statement_timeout=0"

# Partitions are left out: whoever asks for the table reads them.
READABLE = """
select namespace.nspname, class.relname
from pg_class as class
join pg_namespace as namespace on namespace.oid = class.relnamespace
where
    namespace.nspname = any(%s)
    and class.relkind in ('r', 'p', 'v', 'm')
    and not class.relispartition
    and has_schema_privilege(namespace.oid, 'usage')
    and has_table_privilege(class.oid, 'select')
order by 1, 2
"""

MISSING = {
    "raw": UsageError(
        "the raw layer is not there yet: nothing was loaded into PostgreSQL",
        hint="`tidelake up` loads what is in the lake.",
    ),
    "silver": UsageError(
        "the silver layer is not there yet: no window was transformed",
        hint="`tidelake up` makes it from what is loaded; `tidelake transform` makes it once.",
    ),
}


@dataclass(frozen=True, slots=True)
class Layers:
    """A connection to all layers that are there, and of each other one why it is not."""

    connection: duckdb.DuckDBPyConnection
    absent: Mapping[str, TidelakeError]


@dataclass(frozen=True, slots=True)
class Login:
    """Reads `schemas` of PostgreSQL at `url`, attached under `name`."""

    name: str
    url: str
    schemas: tuple[str, ...]


@contextmanager
def connected(
    lakehouse: Lakehouse,
    layer: Layer = "all",
    at: datetime | None = None,
    gold: published.PublishedGold | None = None,
    *,
    personal: bool = False,
) -> Iterator[Layers]:
    """All layers, bare names taken from `layer`; with `at`, as they were then.

    `gold` is the version to read (default: the newest, or that of `at`); `personal` shows silver's
    personal tables. Raises what is wrong with `layer` where it is not there.
    """
    with connect(lakehouse.catalog, at, "lake") as connection:
        if at:
            absent: dict[str, TidelakeError] = {name: _no_past(name) for name in MISSING}
        else:
            absent = _attach_warehouse(connection, _logins(lakehouse, personal))
        if trouble := _attach_gold(connection, lakehouse, at, gold):
            absent["gold"] = trouble
        if layer in absent:
            raise absent[layer]
        there = [name for name in LAYERS if name not in absent] if layer == "all" else [layer]
        connection.execute(f"set search_path = '{','.join(there)}'")
        yield Layers(connection, absent)


def _logins(lakehouse: Lakehouse, personal: bool) -> list[Login]:
    """For each layer the login with the least rights that reads it; a user's own reads what it may.

    Raises `SetupError` where the logins can not be opened.
    """
    owner = lakehouse.owner_url
    if owner is None:
        return [Login("warehouse", lakehouse.database_url, ("silver", "raw", PERSONAL))]
    in_clear = ("raw", PERSONAL) if personal else ("raw",)
    return [
        Login("warehouse", open_login(owner, "dashboard"), ("silver",)),
        Login("warehouse_raw", open_login(owner, "transform"), in_clear),
    ]


def _attach_warehouse(
    connection: duckdb.DuckDBPyConnection, logins: Sequence[Login]
) -> dict[str, TidelakeError]:
    """Views of every table that the logins may read; gives the layers of which there is none."""
    found: set[str] = set()
    load_extensions(connection, "postgres_scanner")
    for login in logins:
        with session.connect(login.url) as database:
            tables = database.execute(READABLE, (list(login.schemas),)).fetchall()
        if tables:
            _attach(connection, login)
        for schema, table in tables:
            connection.execute(f"create schema if not exists {schema}")
            source = f'{login.name}.{schema}."{table}"'
            connection.execute(f'create view {schema}."{table}" as from {source}')
            # The masked view of raw is there before silver is.
            if f"{schema}.{table}" != MASKED_RAW:
                found.add(schema)
    return {name: trouble for name, trouble in MISSING.items() if name not in found}


def _attach(connection: duckdb.DuckDBPyConnection, login: Login) -> None:
    """Attaches PostgreSQL as the login; its password is a secret, which no query can read."""
    import duckdb
    from psycopg.conninfo import conninfo_to_dict, make_conninfo

    parts = conninfo_to_dict(login.url)
    password = parts.pop("password", None)
    options = f"{parts.pop('options', None) or ''} {READ_ONLY}".strip()
    parts["application_name"] = "tidelake sql"
    address = make_conninfo("", options=options, **parts)
    quoted = address.replace("'", "''")
    secret = f"{login.name}_password"
    try:
        connection.execute(
            f"create secret {secret} (type postgres, password $password)",
            {"password": str(password or "")},
        )
        connection.execute(
            f"attach '{quoted}' as {login.name} (type postgres, secret {secret}, read_only)"
        )
    except duckdb.Error as exc:
        raise UnavailableError(
            f"DuckDB can not read {session.describe(login.url)}: {masked(str(exc))}",
            hint="`tidelake status` says more.",
        ) from exc


def _attach_gold(
    connection: duckdb.DuckDBPyConnection,
    lakehouse: Lakehouse,
    at: datetime | None,
    gold: published.PublishedGold | None,
) -> TidelakeError | None:
    """Views of every table of the published file; gives why there is none."""
    home = lakehouse.settings.home
    try:
        wanted = gold or (published.as_of(home, at) if at else None)
        published.attach(connection, home, wanted.path if wanted else None)
    except TidelakeError as exc:
        return exc
    connection.execute("create schema gold")
    for (table,) in connection.execute(
        "select table_name from information_schema.tables "
        "where table_catalog = 'published' and table_schema = 'gold' order by 1"
    ).fetchall():
        connection.execute(f'create view gold."{table}" as from published.gold."{table}"')
    return None


def _no_past(layer: str) -> UsageError:
    return UsageError(
        f"the {layer} layer is kept as it is now only",
        hint="--as-of reads the lake, and gold where a version of then is kept.",
    )
