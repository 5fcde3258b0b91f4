"""A database with raw rows, and silver made of them window by window."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
from psycopg.conninfo import conninfo_to_dict
from tests.process.batches import NOON, RULES, batch_of, body_of

from tidelake.batch import Processed
from tidelake.event.contract import EVENTS, REJECTED
from tidelake.process import process
from tidelake.transform.dbt import DbtTarget, NodeResult
from tidelake.transform.project import project_folder
from tidelake.warehouse.raw.copying import as_loaded, copy_into
from tidelake.warehouse.raw.tables import ensure_partition, ensure_raw
from tidelake.warehouse.session import connect

LOAD_DAY = NOON.date()
DATA = "path:models/silver"


class Stand:
    """Silver in the database at `url`, run as `login`; dbt keeps its state in `state`."""

    def __init__(self, url: str, login: str, state: Path, timezone: str = "UTC") -> None:
        self.url, self.timezone = url, timezone
        known = conninfo_to_dict(login)
        self.dbt = DbtTarget(
            project_folder(),
            state,
            "silver",
            {
                "TIDELAKE_DBT_HOST": str(known["host"]),
                "TIDELAKE_DBT_PORT": str(known["port"]),
                "TIDELAKE_DBT_USER": str(known["user"]),
                "DBT_ENV_SECRET_PASSWORD": str(known["password"]),
                "TIDELAKE_DBT_DBNAME": str(known["dbname"]),
            },
        )
        self.windows: list[tuple[int, int]] = []
        with connect(url) as connection:
            for contract in (EVENTS, REJECTED):
                ensure_raw(connection, contract)
                ensure_partition(connection, contract.table, LOAD_DAY)

    def load(self, load_id: int, *tables: pa.Table) -> None:
        """Rows of events or of rejected events become the load `load_id`."""
        with connect(self.url) as connection, connection.transaction():
            for table in tables:
                name = "rejected_events" if "reason" in table.schema.names else "events"
                rows = [
                    as_loaded(batch, load_id, 0, LOAD_DAY)
                    for batch in table.combine_chunks().to_batches()
                ]
                copy_into(connection, name, rows)

    def send(self, load_id: int, *records: Mapping[str, Any], **known: Any) -> None:
        """What clients sent, in the native format unless `format` says otherwise, as one load."""
        done = processed(records, **known)
        self.load(load_id, done.events, done.rejected)

    def run(self, from_load_id: int, to_load_id: int, *select: str, **more: Any) -> None:
        """One window, from its opening to its end; as often as wanted."""
        with connect(self.url) as connection:
            connection.execute("delete from tidelake.windows where status <> 'done'")
            connection.execute(
                "delete from tidelake.windows where to_load_id = %s or from_load_id = %s",
                (to_load_id, from_load_id),
            )
            connection.execute(
                "insert into tidelake.windows (from_load_id, to_load_id, timezone)"
                " values (%s, %s, %s)",
                (from_load_id, to_load_id, self.timezone),
            )
        self.dbt.run(self.values(from_load_id, to_load_id), select or (DATA,), **more)

    def test(self, *select: str) -> list[NodeResult]:
        """The data tests that found something or could not be run."""
        results = self.dbt.test(self.values(0, 0), select or (DATA,))
        return [result for result in results if result.status != "pass"]

    def values(self, from_load_id: int, to_load_id: int) -> dict[str, str | int | bool]:
        return {
            "from_load_id": from_load_id,
            "to_load_id": to_load_id,
            "timezone": self.timezone,
        }

    def rows(self, query: str, *values: Any) -> list[Any]:
        """The rows of a query; of one column, its values."""
        with connect(self.url) as connection:
            rows = connection.execute(query.encode(), values).fetchall()
        return [row[0] if len(row) == 1 else row for row in rows]


def processed(
    records: Sequence[Mapping[str, Any]],
    format: str = "native",
    received_at: datetime = NOON,
    project: str | None = None,
) -> Processed:
    envelope = {"project": project} if project else {}
    return process(
        batch_of([body_of(record) for record in records], format, envelope, received_at),
        EVENTS,
        RULES,
    )


def at(clock: str, day: int = 24) -> str:
    """A moment of November 2026 as clients write it."""
    moment = datetime.strptime(clock.ljust(8, "0") if clock.count(":") == 2 else clock + ":00", "%H:%M:%S")
    return (datetime(2026, 11, day, tzinfo=UTC) + timedelta(
        hours=moment.hour, minutes=moment.minute, seconds=moment.second
    )).isoformat()
