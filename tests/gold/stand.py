"""Gold over tables that stand in for silver, made from the columns that silver declares."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import psycopg
import yaml

from tidelake.transform.dbt import DbtTarget, NodeResult
from tidelake.transform.environment import MEMORY_BYTES, profile_environment
from tidelake.transform.project import project_folder
from tidelake.warehouse.migrate import migrate

DAY = date(2026, 11, 24)
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)

#: What a column holds in a row that does not name it.
USUAL: dict[str, Any] = {
    "sign": 1,
    "day": DAY,
    "received_day": DAY,
    "event_day": DAY,
    "first_day": DAY,
    "week": date(2026, 11, 23),
    "cohort_week": date(2026, 11, 23),
    "project": "shop",
    "country": "DE",
    "event_type": "page_view",
    "event_name": "page_view",
    "device_type": "desktop",
    "currency": "EUR",
    "referrer_domain": "direct",
    "reason": "not_json",
    "records": 1,
    "query": "shoes",
}

#: What a column of a type holds where it must not be null and nothing else is said.
OF_TYPE: dict[str, Any] = {
    "bigint": 0,
    "integer": 0,
    "smallint": 0,
    "double precision": 0.0,
    "boolean": False,
    "text": "",
    "date": DAY,
    "timestamptz": NOON,
    "text[]": [],
}


@cache
def silver_tables() -> dict[str, dict[str, str]]:
    """Columns and their types of silver's tables and masked views, as its YAML declares them."""
    found: dict[str, dict[str, str]] = {}
    for file in sorted((project_folder() / "models" / "silver").rglob("*.yml")):
        if file.parent.name == "pii":
            continue
        for model in yaml.safe_load(file.read_text("utf-8")).get("models") or []:
            found[model["name"]] = {c["name"]: c["data_type"] for c in model["columns"]}
    return found


class Stand:
    """Gold in one DuckDB file, over stand-ins in the database at `url`; `dbt` is its target."""

    def __init__(self, url: str, dbt: DbtTarget, folder: Path) -> None:
        self.url, self.dbt, self.timezone = url, dbt, "UTC"
        self.file = folder / "work.duckdb"
        migrate(url)
        self._postgres = psycopg.connect(url, autocommit=True)
        for table, columns in silver_tables().items():
            body = ", ".join(f"{name} {kind}" for name, kind in columns.items())
            self.execute(f"create table silver.{table} ({body})")
            self.execute(f"create index on silver.{table} (load_id)")

    def put(self, table: str, load_id: int, *rows: Mapping[str, Any], times: int = 1) -> None:
        """Rows of one load; what a row does not name holds what is usual."""
        columns = silver_tables()[table]
        names = ", ".join(columns)
        places = ", ".join(["%s"] * len(columns))
        values = [
            tuple(
                self._value(name, kind, {"load_id": load_id} | row)
                for name, kind in columns.items()
            )
            for row in rows
            for _ in range(times)
        ]
        with self._postgres.cursor() as cursor:
            cursor.executemany(
                f"insert into silver.{table} ({names}) values ({places})".encode(), values
            )

    def take(
        self,
        from_load_id: int,
        to_load_id: int,
        only: str = "",
        memory_bytes: int = MEMORY_BYTES,
        **values: Any,
    ) -> list[NodeResult]:
        """Gold takes in the news of a window; `only` one table does, which is quicker."""
        self.dbt.environment = profile_environment(self.url, self.file, memory_bytes=memory_bytes)
        select = [f"+{only},path:models/gold"] if only else []
        return self.dbt.run(self._vars(from_load_id, to_load_id) | values, select)

    def make_anew(self, table: str, to_load_id: int) -> list[NodeResult]:
        """One table from all of silver, as `tidelake transform --select` does it."""
        select = [f"+{table},path:models/gold"]
        return self.dbt.run(self._vars(0, to_load_id), select, full_refresh=True)

    def test(self, *select: str) -> list[NodeResult]:
        """The data tests that found something or could not be run."""
        self.dbt.environment = profile_environment(self.url, self.file)
        return [one for one in self.dbt.test(self._vars(0, 0), select) if one.status != "pass"]

    def unit_tests(self) -> list[NodeResult]:
        """What dbt's unit tests of gold say; they need no table."""
        self.dbt.environment = profile_environment(self.url, self.file)
        select = "--select=test_type:unit,path:models/gold"
        return self.dbt._nodes("test", [select], self._vars(0, 0), ())

    def rows(self, query: str) -> list[Any]:
        """The rows of a query over gold; of one column, its values."""
        with self.opened() as connection:
            rows = connection.execute(query).fetchall()
        return [row[0] if len(row) == 1 else row for row in rows]

    @contextmanager
    def opened(self) -> Iterator[duckdb.DuckDBPyConnection]:
        with duckdb.connect(str(self.file), read_only=True) as connection:
            connection.execute("set timezone = 'UTC'")
            connection.execute("use gold")
            yield connection

    def execute(self, statement: str, *values: Any) -> psycopg.Cursor[Any]:
        """A statement in PostgreSQL."""
        return self._postgres.execute(statement.encode(), values or None)

    def close(self) -> None:
        self._postgres.close()

    def _vars(self, from_load_id: int, to_load_id: int) -> dict[str, Any]:
        return {
            "from_load_id": from_load_id,
            "to_load_id": to_load_id,
            "timezone": self.timezone,
            "version": 1,
            "published_at": NOON.isoformat(),
            "trouble": "",
        }

    def _value(self, name: str, kind: str, row: Mapping[str, Any]) -> Any:
        if name in row:
            return row[name]
        if kind == "bytea":
            return secrets.token_bytes(16)
        if kind == "uuid" and name not in ("visitor_key", "session_key", "order_key"):
            return None
        if kind == "uuid":
            return secrets.token_hex(16)
        if name in USUAL:
            return USUAL[name]
        return OF_TYPE[kind] if _counted(name, kind) else None


def _counted(name: str, kind: str) -> bool:
    """Whether a column is one that silver always fills."""
    return kind not in ("text", "double precision") or name.startswith(("campaign_", "duration_"))
