"""`tidelake monitor`: one look a second at heartbeats, inbox marks, table metadata and ledgers.

Costs little: no manifest, no row and no data file is read, a table's metadata only when its version
hint says that there is news, and of the ledgers what waits.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from contextlib import closing
from typing import TYPE_CHECKING

from tidelake.event.contract import EVENTS, REJECTED
from tidelake.files import open_disk
from tidelake.inbox import Inbox
from tidelake.lake import pointer
from tidelake.lake.positions import DAMAGED, RAW_BYTES, REPLAYED, counts, positions
from tidelake.lake.positions import EVENTS as EVENT_COUNT
from tidelake.lake.positions import REJECTED as REJECTED_COUNT
from tidelake.lake.tables import load_table
from tidelake.observe import alerts, heartbeat
from tidelake.observe.rates import Monitor, Sample, Tick
from tidelake.observe.tables import by_reason
from tidelake.pipeline.lakehouse import Lakehouse
from tidelake.pipeline.layer_lags import layer_lags
from tidelake.pipeline.table_facts import metadata_name
from tidelake.warehouse.session import Session

if TYPE_CHECKING:
    from pyiceberg.table import Table

__all__ = ["Sampler", "Tick", "ticks"]


class Sampler:
    """Takes samples of one lakehouse; keeps the tables as they were last seen."""

    def __init__(self, lakehouse: Lakehouse) -> None:
        self._lakehouse = lakehouse
        self._inbox = Inbox(lakehouse.settings.home, open_disk())
        self._tables: dict[str, Table] = {}
        self._database = Session(lakehouse.database_url)

    def sample(self, now: float) -> Sample:
        """Raises `UnavailableError` where the catalog or the database does not answer."""
        # The tables first: what was accepted since only adds to what waits.
        events, rejects = self._fresh(EVENTS.table), self._fresh(REJECTED.table)
        marks = self._inbox.marks()
        done, of_events = positions(events.properties), counts(events.properties)
        of_rejects = counts(rejects.properties)
        rejected = of_rejects.get(REJECTED_COUNT, 0) + of_rejects.get(DAMAGED, 0)
        layers = self._database.run(layer_lags)
        watched = alerts.read(self._lakehouse.settings.home)
        return Sample(
            at=now,
            accepted=sum(marks.values()),
            taken=sum(done.get(stream, 0) for stream in marks),
            committed=of_events.get(EVENT_COUNT, 0) - of_events.get(REPLAYED, 0) + rejected,
            commits=max((s.sequence_number or 0 for s in events.metadata.snapshots), default=0),
            raw_bytes=of_events.get(RAW_BYTES, 0),
            live_bytes=_total(events, "total-files-size") + _total(rejects, "total-files-size"),
            files=_total(events, "total-data-files") + _total(rejects, "total-data-files"),
            snapshots=len(events.metadata.snapshots) + len(rejects.metadata.snapshots),
            rejected=by_reason(of_rejects),
            beats=heartbeat.read(self._lakehouse.settings.home),
            lags=layers.lags,
            gold=layers.gold,
            alerts=watched.active if watched else (),
        )

    def close(self) -> None:
        """Closes the connection to the ledgers."""
        self._database.close()

    def _fresh(self, name: str) -> Table:
        held = self._tables.get(name)
        if held is None or pointer.read(held.io, held.metadata.location) != metadata_name(held):
            self._tables[name] = load_table(self._lakehouse.catalog, name)
        return self._tables[name]


def ticks(
    lakehouse: Lakehouse,
    every_s: float,
    *,
    clock: Callable[[], float] = time.time,
    sleep: Callable[[float], None] = time.sleep,
) -> Generator[Tick]:
    """A tick every so many seconds, for ever; the first comes after one interval, with rates."""
    with closing(Sampler(lakehouse)) as sampler:
        monitor = Monitor()
        monitor.tick(sampler.sample(clock()))
        while True:
            sleep(every_s)
            yield monitor.tick(sampler.sample(clock()))


def _total(table: Table, name: str) -> int:
    """A total of the current snapshot's summary."""
    snapshot = table.metadata.current_snapshot()
    if snapshot is None or snapshot.summary is None:
        return 0
    return int(snapshot.summary[name] or 0)
