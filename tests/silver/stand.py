"""A database with raw rows, and silver made of them window by window."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from psycopg.conninfo import conninfo_to_dict
from tests.process.batches import NOON, RULES, batch_of, body_of

from tidelake.batch import Processed
from tidelake.event.contract import EVENTS, REJECTED
from tidelake.process import process
from tidelake.transform.dbt import DbtTarget, NodeResult, Value
from tidelake.transform.project import project_folder
from tidelake.warehouse.raw.copying import as_loaded, copy_into
from tidelake.warehouse.raw.tables import ensure_partition, ensure_raw
from tidelake.warehouse.session import connect

LOAD_DAY = NOON.date()
EVERYTHING = ("path:models/silver",)

#: What is sent before silver is made of it: records of one load, or loads made by `processed`.
Window = Sequence[dict[str, Any] | Processed]

#: By project, its windows in order. A run of dbt costs a second: tests share them.
Script = dict[str, Sequence[Window]]


class Stand:
    """Silver in the database at `url`, run as `login`; dbt keeps its state in `state`.

    Loads are numbered from 1 over the whole life of it, and windows follow each other.
    """

    def __init__(self, url: str, login: str, state: Path) -> None:
        self.url = url
        self.loaded = self.done = 0
        known = {name: str(value) for name, value in conninfo_to_dict(login).items()}
        self.dbt = DbtTarget(
            project_folder(),
            state,
            "silver",
            {
                "TIDELAKE_DBT_HOST": known["host"],
                "TIDELAKE_DBT_PORT": known["port"],
                "TIDELAKE_DBT_USER": known["user"],
                "DBT_ENV_SECRET_PASSWORD": known["password"],
                "TIDELAKE_DBT_DBNAME": known["dbname"],
            },
        )
        with connect(url) as connection:
            for contract in (EVENTS, REJECTED):
                ensure_raw(connection, contract)
                ensure_partition(connection, contract.table, LOAD_DAY)

    def load(self, done: Processed) -> int:
        """The rows of both tables as the next load; gives its number."""
        self.loaded += 1
        with connect(self.url) as connection, connection.transaction():
            for name, table in (("events", done.events), ("rejected_events", done.rejected)):
                batches = table.combine_chunks().to_batches()
                rows = [as_loaded(batch, self.loaded, 0, LOAD_DAY) for batch in batches]
                copy_into(connection, name, rows)
        return self.loaded

    def send(self, *records: Mapping[str, Any] | bytes, **known: Any) -> int:
        """What clients sent, as the next load; `known` is what `processed` takes."""
        return self.load(processed(records, **known))

    def play(self, script: Script) -> dict[str, list[int]]:
        """Every project's windows, those of the same place in one; gives the loads of each."""
        loads: dict[str, list[int]] = {project: [] for project in script}
        for place in range(max(map(len, script.values()))):
            for project, windows in script.items():
                if place < len(windows):
                    loads[project] += [self.load(part) for part in parts(windows[place], project)]
            self.take()
        return loads

    def open(self) -> dict[str, Value]:
        """The window of all loads that came since the last one, and what dbt is told of it."""
        with connect(self.url) as connection:
            connection.execute(
                "insert into tidelake.windows (from_load_id, to_load_id, timezone)"
                " values (%s, %s, 'UTC') on conflict do nothing",
                (self.done, self.loaded),
            )
        return {"from_load_id": self.done, "to_load_id": self.loaded, "timezone": "UTC"}

    def run(self, *select: str) -> None:
        """The window, or some of its models only; it stays open."""
        self.dbt.run(self.open(), select or EVERYTHING)

    def close(self) -> None:
        with connect(self.url) as connection:
            connection.execute("update tidelake.windows set status = 'done' where status <> 'done'")
        self.done = self.loaded

    def take(self) -> None:
        """The whole window, from its opening to its end."""
        self.run()
        self.close()

    def repeat(self) -> None:
        """The last window once more, as a run does that could not mark it as done."""
        self.execute(
            "update tidelake.windows set status = 'failed'"
            " where to_load_id = (select max(to_load_id) from tidelake.windows)"
        )
        (self.done,) = self.rows(
            "select from_load_id from tidelake.windows where status = 'failed'"
        )
        self.take()

    def test(self, **values: Value) -> list[NodeResult]:
        """The data tests that found something or could not be run."""
        results = self.dbt.test({"to_load_id": self.loaded, **values}, EVERYTHING)
        return [result for result in results if result.status != "pass"]

    def rows(self, query: str, *values: Any) -> list[Any]:
        """The rows of a query; of one column, its values."""
        with connect(self.url) as connection:
            rows = connection.execute(query.encode(), values).fetchall()
        return [row[0] if len(row) == 1 else row for row in rows]

    def execute(self, statement: str, *values: Any) -> None:
        with connect(self.url) as connection:
            connection.execute(statement.encode(), values)

    def use_masking_key_of(self, other: Stand) -> None:
        (key,) = other.rows("select key, inner_pad, outer_pad from silver_pii.masking_key")
        self.execute(
            "update silver_pii.masking_key set key = %s, inner_pad = %s, outer_pad = %s", *key
        )


def parts(window: Window, project: str) -> list[Processed]:
    """The loads of a window: what was processed already, else one of all its records."""
    made = [part for part in window if isinstance(part, Processed)]
    return made or [processed([part for part in window if isinstance(part, dict)], project=project)]


def processed(
    records: Sequence[Mapping[str, Any] | bytes],
    format: str = "native",
    received_at: datetime = NOON,
    project: str | None = None,
) -> Processed:
    envelope = {"project": project} if project else {}
    bodies = [body_of(record) for record in records]
    return process(batch_of(bodies, format, envelope, received_at), EVENTS, RULES)


def moment(clock: str, day: int = 24) -> str:
    """`10:15` or `10:15:30` of a day of November 2026, as clients write it."""
    hours, minutes, seconds = [int(part) for part in f"{clock}:00".split(":")][:3]
    time = timedelta(hours=hours, minutes=minutes, seconds=seconds)
    return (datetime(2026, 11, day, tzinfo=UTC) + time).isoformat()


def event(id: str, type: str, clock: str, day: int = 24, **members: Any) -> dict[str, Any]:
    """A native record; members other than the ids go into `_doc`."""
    top = {
        name: members.pop(name)
        for name in ("user_id", "anonymous_id", "previous_id")
        if name in members
    }
    return {
        "event_id": id,
        "event_type": type,
        "timestamp": moment(clock, day),
        **top,
        "_doc": members,
    }
