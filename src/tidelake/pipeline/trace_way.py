"""The way of one record: what each layer's ledger says of it, with the time it was there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from psycopg.rows import dict_row

from tidelake.batch import split_position
from tidelake.event.contract import EVENTS, REJECTED
from tidelake.files import open_disk
from tidelake.inbox import Inbox
from tidelake.lake.travel import states
from tidelake.pipeline.lakehouse import Lakehouse
from tidelake.pipeline.trace_find import Copy
from tidelake.warehouse.session import Connection

if TYPE_CHECKING:
    from pyiceberg.table import Table

# The first commit after the record came that moved its stream over it.
COMMIT = """
select snapshot_id, sequence_number, committed_at
from tidelake.commits
where
    committed_at >= %(received_at)s - interval '1 minute'
    and (positions -> %(stream)s ->> 0)::bigint <= %(number)s
    and (positions -> %(stream)s ->> 1)::bigint >= %(number)s
order by committed_at
limit 1
"""
# By the commit, whose files are few; else, after a reconcile, by the time of the load.
LOAD = """
select load_id, file_path, loads.sequence_number, rows, load_day, loaded_at, dropped_at
from tidelake.loads
inner join tidelake.loaded_records using (load_id)
where
    table_name = %(table)s and stream = %(stream)s and records @> %(number)s::bigint
    and case
        when %(sequence_number)s::bigint is null then loaded_at >= %(received_at)s
        else loads.sequence_number = %(sequence_number)s
    end
order by load_id
limit 1
"""
SET_ASIDE = """
select reason from tidelake.set_aside where load_id = %(load_id)s and source_position = %(position)s
"""
WINDOW = """
select from_load_id, to_load_id, status, finished_at, failed_model
from tidelake.windows where to_load_id >= %(load_id)s order by to_load_id limit 1
"""
GOLD = """
select version, published_at, file
from tidelake.publications where to_load_id >= %(load_id)s order by version limit 1
"""


@dataclass(frozen=True, slots=True)
class Station:
    """One station: when it was there (None: not yet, or not known) and what is known of it."""

    name: str
    at: datetime | None
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Way:
    """Follows one record through the ledgers."""

    lakehouse: Lakehouse
    database: Connection
    table: Table
    copy: Copy

    def stations(self) -> Iterator[Station]:
        yield self._acknowledged()
        yield self._inbox()
        yield self._decision()
        commit = self._row(COMMIT) or self._snapshot()
        yield self._committed(commit)
        if (rewritten := self._rewritten()) is not None:
            yield rewritten
        load = self._row(LOAD, sequence_number=commit["sequence_number"]) if commit else None
        load = load or self._row(LOAD, sequence_number=None)
        yield self._loaded(load)
        if load is not None:
            yield self._window(load["load_id"])
            yield self._gold(load["load_id"])

    def _acknowledged(self) -> Station:
        said = self.copy.values
        facts = {name: said[name] for name in ("source", "format", "project") if said[name]}
        return Station("acknowledged", self.copy.received_at, facts)

    def _inbox(self) -> Station:
        stream, number = split_position(self.copy.position)
        facts: dict[str, Any] = {"stream": stream, "record": number}
        if stream.startswith("inbox/"):
            facts["segment"] = self._segment(stream, number) or "no longer kept"
        return Station("source", self.copy.received_at, facts)

    def _segment(self, stream: str, number: int) -> str | None:
        """Name of the segment that holds the record, while it is kept."""
        inbox = Inbox(self.lakehouse.settings.home, open_disk())
        if stream not in inbox.streams():
            return None  # of an inbox that was here before this one
        take = next(inbox.takes(stream, number - 1, number), None)
        return take.name if take is not None else None

    def _decision(self) -> Station:
        said = self.copy.values
        if self.copy.rejected:
            told = {name: said[name] for name in ("reason", "field", "detail") if said[name]}
            return Station("rejected", None, told)
        flags = {"flags": said["quality_flags"]} if said["quality_flags"] else {}
        return Station("event", said["event_time"], {"type": said["event_type"], **flags})

    def _committed(self, commit: Mapping[str, Any] | None) -> Station:
        """The commit that brought it, and where it lies now."""
        facts: dict[str, Any] = {"table": f"lake.{self._table}"}
        if commit is not None:
            facts |= {"snapshot": commit["snapshot_id"], "sequence": commit["sequence_number"]}
        place = self.copy.place
        if place is not None:
            facts |= {
                "file": place.file.location,
                "row": place.row,
                "row group": place.group,
                "row in group": place.row_in_group,
            }
        return Station("lake", commit["committed_at"] if commit else None, facts)

    def _snapshot(self) -> dict[str, Any] | None:
        """The commit as the table has it: its row in the ledger may be missing, after a crash."""
        place = self.copy.place
        if place is None or place.file.rewritten:
            return None
        number = place.file.sequence_number
        for state in states(self.table):
            if state.sequence_number == number:
                return {
                    "snapshot_id": state.snapshot_id,
                    "sequence_number": number,
                    "committed_at": state.at,
                }
        return None

    def _rewritten(self) -> Station | None:
        """The compaction that wrote the file in which it lies now, where it was one."""
        place = self.copy.place
        if place is None or not place.file.rewritten:
            return None
        number = place.file.sequence_number
        made = next((s for s in states(self.table) if s.sequence_number == number), None)
        facts: dict[str, Any] = {"sequence": number, "sorted": bool(place.file.sort_order)}
        if made is not None:
            facts["snapshot"] = made.snapshot_id
        return Station("rewritten by care", made.at if made else None, facts)

    def _loaded(self, load: Mapping[str, Any] | None) -> Station:
        if load is None:
            return Station("raw", None, {"state": "not loaded yet"})
        facts: dict[str, Any] = {"load": load["load_id"], "day of load": load["load_day"]}
        if reason := self._row(SET_ASIDE, load_id=load["load_id"]):
            facts["set aside"] = reason["reason"]
        elif load["dropped_at"] is not None:
            facts["state"] = f"its day of load was dropped on {load['dropped_at']:%Y-%m-%d}"
        else:
            row = self._row(
                f"select row_number from raw.{self._table} "
                "where load_id = %(load_id)s and source_position = %(position)s",
                load_id=load["load_id"],
            )
            facts["row"] = row["row_number"] if row else "missing"
        # What a reconcile loads of a file has its sequence number behind the name.
        facts["from file"] = load["file_path"].rpartition("#")[0] or load["file_path"]
        return Station("raw", load["loaded_at"], facts)

    def _window(self, load_id: int) -> Station:
        window = self._row(WINDOW, load_id=load_id)
        if window is None:
            return Station("silver", None, {"state": "waits for a window"})
        facts = {"window": f"({window['from_load_id']}, {window['to_load_id']}]"}
        if window["status"] != "done":
            trouble = f" in {window['failed_model']}" if window["failed_model"] else ""
            return Station("silver", None, {**facts, "state": window["status"] + trouble})
        return Station("silver", window["finished_at"], facts)

    def _gold(self, load_id: int) -> Station:
        gold = self._row(GOLD, load_id=load_id)
        if gold is None:
            return Station("gold", None, {"state": "in no published version yet"})
        return Station("gold", gold["published_at"], {"first version": gold["version"]})

    @property
    def _table(self) -> str:
        return REJECTED.table if self.copy.rejected else EVENTS.table

    def _row(self, query: str, **more: Any) -> dict[str, Any] | None:
        stream, number = split_position(self.copy.position)
        values = {
            "table": self._table,
            "stream": stream,
            "number": number,
            "position": self.copy.position,
            "received_at": self.copy.received_at,
            **more,
        }
        with self.database.cursor(row_factory=dict_row) as cursor:
            return cursor.execute(query.encode(), values).fetchone()
