"""One event's way through the system: from the 2xx to the gold version that first held it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from psycopg.rows import dict_row

from tidelake.event.contract import EVENTS, REJECTED
from tidelake.lake.tables import load_table
from tidelake.pipeline.lakehouse import Lakehouse
from tidelake.pipeline.trace_find import Copy, find, waiting
from tidelake.pipeline.trace_way import Station, Way
from tidelake.warehouse.session import Connection, connect

FACTS = (
    "page_views",
    "engagement",
    "searches",
    "web_performance",
    "orders",
    "order_items",
    "refunds",
)
EVENT = "select * from silver_pii.events where event_day = %(day)s and event_key = %(key)s"
ROWS = """
select count(*) as rows from silver.{table}
where load_id = %(load_id)s and event_day = %(day)s and event_key = %(key)s
"""
SESSION = """
select session_key, is_computed, started_at, ended_at, events, load_id
from silver_pii.sessions
where
    session_key = %(session_key)s
    or (
        visitor_key = %(visitor_key)s and %(session_key)s::uuid is null
        and started_at <= %(at)s and ended_at >= %(at)s
    )
order by started_at desc
limit 1
"""
USER = (
    "select user_key, first_seen_at, last_seen_at, events from silver_pii.users where user_key = %s"
)
KEYS = ("user_key", "anonymous_key", "visitor_key", "session_key", "device_key", "location_key")
PERSONAL = ("user_id", "anonymous_id", "location_ip_address")
SHOWN = 8  # characters of a masked key


@dataclass(frozen=True, slots=True)
class SilverRows:
    """What silver made of the event: rows by table, and the keys of what it belongs to.

    `position` is that of the copy that became the event: the others are repeats of it.
    """

    position: str
    rows: Mapping[str, int]
    keys: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class TracedCopy:
    """One record that was accepted, station by station; `repeat_of` is empty for the event."""

    position: str
    repeat_of: str
    stations: tuple[Station, ...]


@dataclass(frozen=True, slots=True)
class TracedEvent:
    """All copies of one event (one key), or one reject; `says` are the event's own columns."""

    key: str
    says: Mapping[str, Any]
    copies: tuple[TracedCopy, ...]
    silver: SilverRows | None


@dataclass(frozen=True, slots=True)
class Trace:
    """What was found; `waits` is the position of a record that is not in the lake yet."""

    events: tuple[TracedEvent, ...]
    waits: str | None


def trace(
    lakehouse: Lakehouse, wanted: str, day: date | None = None, *, personal: bool = False
) -> Trace:
    """Follows an `event_id`, an `event_key` in hex or a `source_position`.

    An id may be that of several events. Keys of people are cut, and their ids left out, unless
    `personal`. Raises `UnavailableError` where a layer can not be read.
    """
    with connect(lakehouse.database_url) as database:
        copies = find(lakehouse, database, wanted, day)
        if not copies:
            return Trace((), waiting(lakehouse, wanted))
        by_key: dict[str, list[Copy]] = {}
        for copy in copies:
            by_key.setdefault(_key(copy) or copy.position, []).append(copy)
        tracer = _Tracer(lakehouse, database, personal)
        return Trace(tuple(tracer.event(group) for group in by_key.values()), None)


@dataclass(frozen=True, slots=True)
class _Tracer:
    lakehouse: Lakehouse
    database: Connection
    personal: bool

    def event(self, copies: list[Copy]) -> TracedEvent:
        first = copies[0]
        silver = None if first.rejected else self._silver(first)
        traced = tuple(self._copy(copy, silver) for copy in copies)
        return TracedEvent(_key(first), self._says(first), traced, silver)

    def _copy(self, copy: Copy, silver: SilverRows | None) -> TracedCopy:
        name = REJECTED.table if copy.rejected else EVENTS.table
        table = load_table(self.lakehouse.catalog, name)
        way = Way(self.lakehouse, self.database, table, copy)
        repeat = silver.position if silver and silver.position != copy.position else ""
        return TracedCopy(copy.position, repeat, tuple(way.stations()))

    def _says(self, copy: Copy) -> dict[str, Any]:
        left_out = () if self.personal else PERSONAL
        return {
            name: value
            for name, value in copy.values.items()
            if value is not None and name not in (*left_out, "event_key")
        }

    def _silver(self, copy: Copy) -> SilverRows | None:
        if not self._has_silver():
            return None
        where = {"day": copy.values["event_day"], "key": copy.values["event_key"]}
        event = self._row(EVENT, where)
        if event is None:
            return None
        rows = {"events": 1}
        for table in FACTS:
            found = self._row(ROWS.format(table=table), {**where, "load_id": event["load_id"]})
            if found and found["rows"]:
                rows[table] = found["rows"]
        session = self._row(SESSION, {**event, "at": event["event_time"]})
        keys = {name: event[name] for name in KEYS if event[name] is not None}
        if session is not None:
            rows["sessions"] = 1
            keys["session_key"] = session["session_key"]
            keys["session"] = (
                f"{session['started_at']:%Y-%m-%d %H:%M:%S} to {session['ended_at']:%H:%M:%S}, "
                f"{session['events']} events"
            )
        if event["user_key"] is not None and self._row(USER, (event["user_key"],)):
            rows["users"] = 1
        return SilverRows(event["source_position"], rows, dict(self._shown(keys)))

    def _shown(self, keys: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        for name, value in keys.items():
            cut = name in KEYS and not self.personal
            yield name, f"{str(value)[:SHOWN]}…" if cut else str(value)

    def _has_silver(self) -> bool:
        row = self.database.execute("select to_regclass('silver_pii.events')").fetchone()
        return row is not None and row[0] is not None

    def _row(self, query: str, values: Any) -> dict[str, Any] | None:
        with self.database.cursor(row_factory=dict_row) as cursor:
            return cursor.execute(query.encode(), values).fetchone()


def _key(copy: Copy) -> str:
    key = copy.values.get("event_key")
    return key.hex() if isinstance(key, bytes) else ""
