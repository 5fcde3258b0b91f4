"""What the dashboard knows of the pipeline that runs: heartbeats, ledgers, the lake's metadata.

PostgreSQL is asked as the login `dashboard`, never started for it. Answers are shared by all
visitors and stand for some seconds.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, TypeVar

import psutil
import psycopg

from tidelake.dashboard.live import (
    AlertFact,
    CommitFact,
    LayerFact,
    News,
    PartFact,
    PipelineFacts,
    SeenRecord,
    TableFact,
)
from tidelake.errors import TidelakeError, UnavailableError
from tidelake.event.contract import EVENTS, REJECTED
from tidelake.files import open_disk
from tidelake.inbox import Inbox
from tidelake.observe import alerts, heartbeat
from tidelake.observe.layer_lag import Lag
from tidelake.pipeline.address import collector_url
from tidelake.pipeline.lake_files import LakeFiles, LakeTable
from tidelake.pipeline.layer_lags import layer_lags
from tidelake.pipeline.live_records import last_records
from tidelake.settings import Settings
from tidelake.warehouse.roles import login_of, open_login
from tidelake.warehouse.server import EmbeddedPostgres
from tidelake.warehouse.session import Connection, as_ours, open_connection

T = TypeVar("T")

FRESH_S = 2.0  # an answer this old is given again
LAST_COMMITS = 6
RATE_OVER_S = 60

COMMITS = """
    select committed_at, table_name, sequence_number, operation, records, files, bytes
    from tidelake.commits order by committed_at desc limit %s
"""
RATES = """
    with lately as (
        select table_name, sum(rows) as rows from tidelake.loads
        where loaded_at > now() - %(over)s * interval '1 second' group by table_name
    )
    select
        (select coalesce(sum(records), 0) from tidelake.commits
        where committed_at > now() - %(over)s * interval '1 second'),
        (select coalesce(sum(rows), 0) from lately where table_name = 'rejected_events'),
        (select coalesce(sum(rows), 0) from lately where table_name = 'events'),
        (select coalesce(sum(new_events), 0) from tidelake.windows
        where status = 'done' and finished_at > now() - %(over)s * interval '1 second'
            and started_at > now() - 10 * %(over)s * interval '1 second'),
        (select coalesce(sum(rows), 0) from tidelake.load_totals where table_name = 'events'),
        (select events from tidelake.publications order by version desc limit 1)
"""
NEWS = """
    select
        (select min(loaded_at) from tidelake.loads where load_id > %(load_id)s),
        (select count(*) from tidelake.loads where load_id > %(load_id)s),
        failed.failed_model, failed.message, failed.started_at
    from (values (1)) as one (row)
    left join tidelake.windows as failed on failed.status = 'failed'
"""
TABLES = """
    select
        namespace.nspname, class.relname,
        sum(greatest(part.reltuples, pg_stat_get_live_tuples(part.oid)))::bigint as rows,
        sum(pg_total_relation_size(part.oid))::bigint as bytes
    from pg_class as class
    join pg_namespace as namespace on namespace.oid = class.relnamespace
    left join lateral pg_partition_tree(class.oid) as tree on class.relkind = 'p'
    join pg_class as part on part.oid = coalesce(tree.relid, class.oid) and part.relkind = 'r'
    where namespace.nspname in ('raw', 'silver', 'silver_pii')
        and class.relkind in ('r', 'p') and not class.relispartition
        and class.relname <> 'masking_key'
    group by 1, 2 order by 1, 4 desc, 2
"""


@dataclass
class Facts:
    """One home's `LiveFacts`."""

    settings: Settings
    now: Callable[[], float] = time.time
    _connection: Connection | None = None
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _held: dict[Any, tuple[float, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._lake = LakeFiles(self.settings.warehouse)
        self._inbox = Inbox(self.settings.home, open_disk())

    def collector_url(self) -> str | None:
        return collector_url(self.settings.home)

    def news(self, to_load_id: int) -> News:
        return self._fresh(("news", to_load_id), lambda: self._news(to_load_id))

    def alerts(self) -> Sequence[AlertFact]:
        state = alerts.read(self.settings.home)
        if state is None or self.now() - state.at > alerts.OLD_AFTER_S:
            return ()
        return [
            AlertFact(
                alert.rule, alert.message, alert.severity, datetime.fromtimestamp(alert.since, UTC)
            )
            for alert in state.active
        ]

    def pipeline(self) -> PipelineFacts:
        return self._fresh("pipeline", self._pipeline)

    def last_records(self, count: int, *, rejected: bool, project: str) -> Sequence[SeenRecord]:
        def ask() -> Sequence[SeenRecord]:
            with self._asking() as connection:
                return last_records(connection, count, rejected=rejected, project=project)

        return self._fresh(("records", count, rejected, project), ask)

    def close(self) -> None:
        with self._lock:
            self._drop()

    def _fresh(self, key: Any, ask: Callable[[], T]) -> T:
        """One question at a time, and none that was answered a moment ago."""
        with self._lock:
            held = self._held.get(key)
            if held is None or not 0 <= self.now() - held[0] < FRESH_S:
                self._held = {k: v for k, v in self._held.items() if self.now() - v[0] < FRESH_S}
                held = self._held[key] = (self.now(), ask())
            answer: T = held[1]
            return answer

    def _news(self, to_load_id: int) -> News:
        said = heartbeat.read(self.settings.home).get("transform")
        values = said.values if said and not said.stale(self.now()) else {}
        trouble, model = str(values.get("trouble") or ""), str(values.get("failed_model") or "")
        waiting_since, loads, since = None, 0, None
        try:
            with self._asking() as connection:
                row = connection.execute(NEWS.encode(), {"load_id": to_load_id}).fetchone()
            assert row is not None
            waiting_since, loads, since = row[0], row[1], row[4]
            model, trouble = model or row[2] or "", trouble or row[3] or ""
        except TidelakeError:
            pass  # the heartbeat says what it knows, and the page on the pipeline the rest
        return News(waiting_since, loads, model, trouble, since)

    def _pipeline(self) -> PipelineFacts:
        lake = self._lake.tables()
        known = PipelineFacts(
            datetime.now(UTC),
            parts=list(self._parts()),
            layers=[self._inbox_layer(lake)],
            tables=_of_lake(lake),
            alerts=self.alerts(),
        )
        try:
            with self._asking() as connection:
                return replace(
                    known,
                    layers=[*known.layers, *_layers(connection, lake)],
                    commits=_commits(connection),
                    tables=[*known.tables, *_of_postgres(connection)],
                )
        except TidelakeError as exc:
            return replace(known, trouble=f"{exc.message}. {exc.hint}")

    def _parts(self) -> Iterator[PartFact]:
        for name, said in heartbeat.read(self.settings.home).items():
            if name == alerts.PART:
                continue
            state = "is silent" if said.stale(self.now()) else "runs"
            yield PartFact(
                name,
                state if psutil.pid_exists(said.pid) else "is gone",
                max(self.now() - said.at, 0.0),
                said.concern,
                said.values.get("memory_bytes"),
            )

    def _inbox_layer(self, lake: Sequence[LakeTable]) -> LayerFact:
        marks = self._inbox.marks()
        taken = next((table.positions for table in lake if table.name == EVENTS.table), None)
        waiting = None
        if taken is not None:
            waiting = sum(max(mark - taken.get(stream, 0), 0) for stream, mark in marks.items())
        return LayerFact("Inbox", None, sum(marks.values()), waiting)

    @contextmanager
    def _asking(self) -> Iterator[Connection]:
        """The connection; opened anew after it broke. Raises `UnavailableError`, `SetupError`."""
        with self._lock:
            if self._connection is None or self._connection.closed:
                self._connection = open_connection(self._url(), timeout_s=3)
            try:
                yield self._connection
            except psycopg.Error as exc:
                self._drop()
                raise as_ours(exc, None) from exc

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _url(self) -> str:
        """The database as `dashboard`, or as whoever the user's own URL names."""
        given = self.settings.postgres.url
        if not given:
            server = EmbeddedPostgres(self.settings.home)
            if not server.running():
                raise UnavailableError(
                    "PostgreSQL does not run on this home", hint="`tidelake up` starts it."
                )
            given = server.url
        return open_login(given, "dashboard") if login_of(given).owner else given


def _layers(connection: Connection, lake: Sequence[LakeTable]) -> list[LayerFact]:
    rates = connection.execute(RATES.encode(), {"over": RATE_OVER_S}).fetchone()
    assert rates is not None  # one row, always
    lags = {lag.layer: lag for lag in layer_lags(connection).lags}
    committed, rejected, loaded, transformed, in_raw, in_gold = rates
    rows = {table.name: table.rows for table in lake}
    return [
        LayerFact("Lake", committed / RATE_OVER_S, rows.get(EVENTS.table)),
        LayerFact("Rejected", rejected / RATE_OVER_S, rows.get(REJECTED.table)),
        _layer("Raw", loaded / RATE_OVER_S, int(in_raw), lags["raw"]),
        _layer("Silver", transformed / RATE_OVER_S, None, lags["silver"]),
        _layer("Gold", None, in_gold, lags["gold"]),
    ]


def _layer(name: str, per_s: float | None, total: int | None, lag: Lag) -> LayerFact:
    return LayerFact(name, per_s, total, lag.waiting, lag.what, lag.seconds)


def _commits(connection: Connection) -> list[CommitFact]:
    rows = connection.execute(COMMITS.encode(), (LAST_COMMITS,)).fetchall()
    return [CommitFact(*row) for row in rows]


def _of_lake(tables: Sequence[LakeTable]) -> list[TableFact]:
    return [TableFact("lake", t.name, t.rows, t.bytes, t.files, t.snapshots) for t in tables]


def _of_postgres(connection: Connection) -> list[TableFact]:
    return [TableFact(*row) for row in connection.execute(TABLES.encode()).fetchall()]
