"""A plugin of dbt-duckdb: its own `extensions:` in profiles.yml install from the network."""

from __future__ import annotations

import duckdb
from dbt.adapters.duckdb.plugins import BasePlugin

from tidelake.extensions import load_extensions


class Plugin(BasePlugin):
    """Lets DuckDB read PostgreSQL; profiles.yml names this module."""

    def configure_connection(self, conn: duckdb.DuckDBPyConnection) -> None:
        load_extensions(conn, "postgres_scanner")
