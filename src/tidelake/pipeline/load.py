"""The load part: follows the lake and brings its rows to the raw layer in PostgreSQL.

Trouble ends a shift: the next one asks the ledger again and goes on from there. Passing trouble is
waited out with backoff; a broken setup ends the part.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import UTC, date, datetime, timedelta

from psycopg.errors import LockNotAvailable

from tidelake.errors import FencedError, TransientError
from tidelake.event.contract import EVENTS, REJECTED
from tidelake.observe import heartbeat
from tidelake.pipeline.alone import LEASE_S, alone, leased
from tidelake.pipeline.beating import beating
from tidelake.pipeline.lakehouse import Lakehouse, opened
from tidelake.pipeline.loader import Progress, TableLoader
from tidelake.pipeline.stopping import Stop
from tidelake.settings import Settings
from tidelake.warehouse.lease import Lease
from tidelake.warehouse.raw.merge import merge_dropped
from tidelake.warehouse.raw.retention import drop_before, held_back
from tidelake.warehouse.session import Connection, open_connection, translated
from tidelake.warehouse.windows import Windows

log = logging.getLogger("tidelake.load")

PART = "load"
REBUILD = "rebuild raw"  # lease of who makes raw anew: the loader gives way to it
FIRST_WAIT_S, LONGEST_WAIT_S = 0.5, 10.0
LOOK_UP_EVERY_S = 2.0  # at the leases
RETENTION_EVERY_S = 600.0
MERGE_EVERY_S = 86_400.0
MERGED_AFTER = timedelta(days=31)  # gold tells of single loads for 30 days
LAST_LOOK_S = 60.0  # for what the lake holds when the part is told to stop


def run(settings: Settings, stop: Stop) -> None:
    """Loads until `stop`, then what the lake holds by then. Raises `SetupError`."""
    progress = Progress()
    with (
        opened(settings, role="ingest") as lakehouse,
        beating(settings.home, PART, progress.said),
        alone(settings.home, PART, stop) as can_work,
    ):
        wait, works = FIRST_WAIT_S, can_work
        while works:
            try:
                works = _shift(lakehouse, stop, progress)
            except (FencedError, TransientError) as exc:
                wait = min(wait * 2, LONGEST_WAIT_S) if progress.trouble else FIRST_WAIT_S
                progress.trouble = exc.message
                log.warning("%s; starting again in %.1f s", exc, wait)
                works = not stop.wait(wait)
    heartbeat.forget(settings.home, PART)


def _shift(lakehouse: Lakehouse, stop: Stop, progress: Progress) -> bool:
    """Works until told to stop; True where it gave way to a rebuild and has to come back."""
    url, settings = lakehouse.database_url, lakehouse.settings
    with (
        closing(Lease(url, REBUILD, str(settings.home), LEASE_S)) as rebuild,
        leased(url, PART, settings.home, stop) as lease,
        translated(url),
        closing(open_connection(url)) as connection,
    ):
        loaders = loaders_of(lakehouse, connection, progress)
        retention = Retention(connection, settings.load.retention_days)
        looks_up = Every(LOOK_UP_EVERY_S)
        while not stop:
            if looks_up.due():
                if rebuild.taken():
                    log.info("raw is made anew; waiting for its end")
                    return not stop.wait(LOOK_UP_EVERY_S)
                _require(lease)
                retention.look()
            _turn(loaders, progress, stop.__bool__)
            stop.wait(settings.load.interval_s)
        last = time.monotonic() + LAST_LOOK_S
        _turn(loaders, progress, lambda: time.monotonic() > last)
    return False


def _require(lease: Lease) -> None:
    if not lease.renew():
        raise FencedError(
            "another loader took the lease while this one did not answer",
            hint="Nothing is lost: this one goes on when the other ends.",
        )


def loaders_of(
    lakehouse: Lakehouse, connection: Connection, progress: Progress
) -> list[TableLoader]:
    """One a table, over one connection."""
    return [
        TableLoader(connection, lakehouse.catalog, contract.table, progress)
        for contract in (REJECTED, EVENTS)
    ]


def _turn(loaders: Sequence[TableLoader], progress: Progress, stopped: Callable[[], bool]) -> None:
    """One look at each table. Raises the first trouble, once each had its turn."""
    trouble: list[FencedError | TransientError] = []
    for loader in loaders:
        try:
            loader.turn(stopped)
        except (FencedError, TransientError) as exc:
            trouble.append(exc)
    if trouble:
        raise trouble[0]
    progress.trouble = ""


class Every:
    """Says when a time has passed again; at once at first."""

    def __init__(self, seconds: float) -> None:
        self._seconds, self._at = seconds, 0.0

    def due(self) -> bool:
        now = time.monotonic()
        if now < self._at:
            return False
        self._at = now + self._seconds
        return True


class Retention:
    """Drops days of load that are over, once silver has them, and keeps their ledger short."""

    def __init__(self, connection: Connection, days: float) -> None:
        self._connection, self._days = connection, days
        self._every = Every(RETENTION_EVERY_S)
        self._merges = Every(MERGE_EVERY_S)

    def look(self) -> None:
        """Drops what is due; what somebody reads at the moment is left to the next look."""
        if not self._days or not self._every.due():
            return
        first_kept = (datetime.now(UTC) - timedelta(days=self._days)).date()
        try:
            for contract in (REJECTED, EVENTS):
                self._drop(contract.table, first_kept)
        except LockNotAvailable:
            log.info("raw is read at the moment; days that are over are dropped later")
        if self._merges.due():
            before = datetime.now(UTC) - MERGED_AFTER
            for contract in (REJECTED, EVENTS):
                if merged := merge_dropped(self._connection, contract.table, before):
                    log.info(
                        "raw.%s: %d loads of dropped days were put together", contract.table, merged
                    )

    def _drop(self, table: str, first_kept: date) -> None:
        if held_back(self._connection, table):
            log.info(
                "raw.%s: days that a rebuild brought back are kept until `tidelake rebuild silver`",
                table,
            )
            return
        for day in drop_before(self._connection, table, first_kept, self._taken()):
            log.info("raw.%s: what was loaded on %s is dropped", table, day)

    def _taken(self) -> int:
        """The load up to which silver is made, also one that is made beside it."""
        silver = Windows(self._connection).last_done()
        beside = Windows(self._connection, "next")
        if silver is None or beside.last_done() or beside.unfinished():
            return 0
        return silver.to_load_id
