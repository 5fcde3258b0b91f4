"""DuckDB's extensions, from where their wheels lie: an INSTALL needs the network and fills HOME."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from tidelake.errors import SetupError

if TYPE_CHECKING:
    import duckdb


def load_extensions(connection: duckdb.DuckDBPyConnection, *extensions: str) -> None:
    """Loads extensions in the order given. Raises `SetupError`."""
    import duckdb

    for name in extensions:
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
