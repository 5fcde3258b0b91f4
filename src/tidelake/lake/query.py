"""SQL over the lake's own tables, through DuckDB's iceberg extension and without the network."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from tidelake.errors import SetupError
from tidelake.event.contract import EVENTS, REJECTED
from tidelake.extensions import load_extensions
from tidelake.lake.tables import load_table
from tidelake.lake.travel import as_of, states

if TYPE_CHECKING:
    import duckdb
    from pyiceberg.catalog import Catalog
    from pyiceberg.table import Table

MEMORY = "1GB"

# A replay keeps the position of the record that had been rejected, so both tables show it.
REPLAYED = f"""
create view {{schema}}.replayed as
select rejected.*, events.event_key, events.event_time, events.event_type
from {{schema}}.{REJECTED.table} as rejected
join {{schema}}.{EVENTS.table} as events using (source_position)
"""


def connect(
    catalog: Catalog, at: datetime | None = None, schema: str = "main"
) -> duckdb.DuckDBPyConnection:
    """A DuckDB connection with the views `events`, `rejected_events` and `replayed` in `schema`.

    The views show the tables as they are committed now, or as they were at `at` (UTC): connect
    again to see what came since. Raises `UsageError` where no state of `at` is left.
    """
    import duckdb

    connection = duckdb.connect(
        config={
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "memory_limit": MEMORY,
        }
    )
    try:
        _prepare(connection, catalog)
        connection.execute(f"create schema if not exists {schema}")
        for name in (EVENTS.table, REJECTED.table):
            _view(connection, load_table(catalog, name), at, f"{schema}.{name}")
        connection.execute(REPLAYED.format(schema=schema))
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare(connection: duckdb.DuckDBPyConnection, catalog: Catalog) -> None:
    remote = catalog.properties["warehouse"].startswith("s3://")
    # The iceberg extension needs avro, and does not say so.
    load_extensions(connection, *(("httpfs",) if remote else ()), "avro", "iceberg")
    connection.execute("set timezone = 'UTC'")
    if remote:
        connection.execute(_s3_secret(catalog))


def _view(
    connection: duckdb.DuckDBPyConnection, table: Table, at: datetime | None, view: str
) -> None:
    if table.metadata.current_snapshot() is None or (at and _was_empty(table, at)):
        empty = f"empty_{table.name()[-1]}"
        connection.register(empty, table.schema().as_arrow().empty_table())
        connection.execute(f"create view {view} as select * from {empty}")
        return
    state = f", snapshot_from_id => {as_of(table, at).snapshot_id}" if at else ""
    location = _quoted(table.metadata_location)
    connection.execute(f"create view {view} as select * from iceberg_scan({location}{state})")


def _was_empty(table: Table, at: datetime) -> bool:
    """Whether the table's very first snapshot is younger than `at`."""
    known = states(table)
    return bool(known) and known[0].sequence_number == 1 and known[0].at > at


def _s3_secret(catalog: Catalog) -> str:
    """The credentials that AWS's own chain finds, as a secret of this connection."""
    import boto3

    found = boto3.Session().get_credentials()
    if found is None:
        raise SetupError(
            "no AWS credentials were found", hint="Set AWS_ACCESS_KEY_ID or a profile, as for aws."
        )
    frozen = found.get_frozen_credentials()
    options = {
        "type": "s3",
        "key_id": frozen.access_key,
        "secret": frozen.secret_key,
        "session_token": frozen.token,
        "region": catalog.properties.get("s3.region"),
    }
    if endpoint := catalog.properties.get("s3.endpoint"):
        scheme, _, host = str(endpoint).partition("://")
        options |= {"endpoint": host.rstrip("/"), "url_style": "path"}
        options["use_ssl"] = "false" if scheme == "http" else "true"
    shown = ", ".join(f"{key} {_quoted(str(value))}" for key, value in options.items() if value)
    return f"create secret lake ({shown})"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
