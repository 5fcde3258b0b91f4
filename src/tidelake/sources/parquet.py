"""Parquet files as records: each row is the JSON object that DuckDB makes of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tidelake.errors import SetupError, UsageError

if TYPE_CHECKING:
    from tidelake.sources.spools import Spools

# Times in UTC as RFC 3339, so that they are times again when the record is judged. Rows keep the
# order of the file, so that a resumed ingest numbers them alike.
_COPY = """
    copy (select * from read_parquet($source))
    to {target} (format json, timestampformat '%Y-%m-%dT%H:%M:%S.%fZ')
"""


def spool_parquet(path: Path, name: str, spools: Spools) -> Path:
    """The rows of a Parquet file as a spool of NDJSON. Raises `UsageError` where it is none."""
    try:
        import duckdb
    except ImportError as exc:
        raise SetupError(
            f"{name} is a Parquet file, and duckdb, which reads it, is not installed",
            hint="pip install 'tidelake[lake]'",
        ) from exc
    target = spools.path("rows.ndjson")
    quoted = "'" + str(target).replace("'", "''") + "'"
    try:
        with duckdb.connect(config={"autoinstall_known_extensions": "false"}) as engine:
            engine.execute("set TimeZone = 'UTC'")
            engine.execute("set preserve_insertion_order = true")
            engine.execute(_COPY.format(target=quoted), {"source": str(path)})
    except duckdb.Error as exc:
        raise UsageError(
            f"{name} can not be read as Parquet: {exc}",
            hint="Nothing of it was taken. Check the file with another reader of Parquet.",
        ) from exc
    return target
