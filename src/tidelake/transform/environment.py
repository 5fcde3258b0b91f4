"""What dbt/profiles.yml reads from the environment; the password stands nowhere else."""

from __future__ import annotations

import os
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict, make_conninfo

#: dbt writes no value of a variable with this prefix into a log.
SECRET = "DBT_ENV_SECRET_"

#: A query whose client was killed ends within this time, and with it its locks.
CHECK_CLIENT = "-c client_connection_check_interval=2000"

MEMORY_BYTES = 512 * 1024 * 1024
PER_THREAD = (
    128 * 1024 * 1024
)  # bytes: https://duckdb.org/docs/stable/guides/performance/environment


def profile_environment(
    database_url: str,
    gold_file: Path,
    application: str = "dbt",
    memory_bytes: int = MEMORY_BYTES,
) -> dict[str, str]:
    """The variables of both targets: the login of `database_url`, the private file of gold.

    `application` is the name by which the queries of this run are known in the server. DuckDB
    takes `memory_bytes` at most, and no more threads than can work with that.
    """
    threads = max(1, min(os.cpu_count() or 1, memory_bytes // PER_THREAD))
    parts = conninfo_to_dict(database_url)
    attached = make_conninfo(database_url, application_name=application)
    return {
        "TIDELAKE_DBT_HOST": str(parts.get("host", "127.0.0.1")),
        "TIDELAKE_DBT_PORT": str(parts.get("port", 5432)),
        "TIDELAKE_DBT_USER": str(parts.get("user", "")),
        "TIDELAKE_DBT_DBNAME": str(parts.get("dbname", "")),
        "TIDELAKE_DBT_GOLD_FILE": str(gold_file),
        "TIDELAKE_DBT_GOLD_MEMORY": f"{memory_bytes}B",
        "TIDELAKE_DBT_GOLD_THREADS": str(threads),
        f"{SECRET}PASSWORD": str(parts.get("password", "")),
        f"{SECRET}POSTGRES": attached,
        f"{SECRET}APPLICATION": application,
        "PGOPTIONS": CHECK_CLIENT,
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    }
