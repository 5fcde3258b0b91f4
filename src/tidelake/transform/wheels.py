"""DuckDB's extensions from where their wheels lie, and as a plugin of dbt-duckdb.

dbt-duckdb's own way, `extensions:` in profiles.yml, installs from the network into HOME.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import duckdb
from dbt.adapters.duckdb.plugins import BasePlugin

from tidelake.errors import SetupError


def load_extension(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    """Loads an extension from its wheel, without the network. Raises `SetupError`."""
    try:
        wheel = Path(str(files(f"duckdb_extension_{name}")))
        file = wheel / "extensions" / f"v{duckdb.__version__}" / f"{name}.duckdb_extension"
        quoted = str(file).replace("'", "''")
        connection.execute(f"load '{quoted}'")
    except (ImportError, duckdb.Error) as exc:
        raise SetupError(
            f"DuckDB's extension {name} can not be loaded: {exc}",
            hint=f"Install duckdb-extension-{name.replace('_', '-')} in the version of duckdb.",
        ) from exc


class Plugin(BasePlugin):
    """Lets DuckDB read PostgreSQL; profiles.yml names this module."""

    def configure_connection(self, conn: duckdb.DuckDBPyConnection) -> None:
        load_extension(conn, "postgres_scanner")
