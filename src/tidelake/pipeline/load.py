"""The load part: follows the lake and brings its rows to the raw layer in PostgreSQL.

Trouble ends a shift: the next one asks the ledger again and goes on from there. Passing trouble is
waited out with backoff; a broken setup ends the part.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from contextlib import closing

from tidelake.errors import FencedError, TransientError
from tidelake.event.contract import EVENTS, REJECTED
from tidelake.observe import heartbeat
from tidelake.pipeline.alone import alone, leased
from tidelake.pipeline.beating import beating
from tidelake.pipeline.lakehouse import Lakehouse, opened
from tidelake.pipeline.loader import Progress, TableLoader
from tidelake.pipeline.stopping import Stop
from tidelake.settings import Settings
from tidelake.warehouse.session import Connection, open_connection, translated

log = logging.getLogger("tidelake.load")

PART = "load"
FIRST_WAIT_S, LONGEST_WAIT_S = 0.5, 10.0
RENEW_EVERY_S = 5.0
LAST_LOOK_S = 60.0  # for what the lake holds when the part is told to stop


def run(settings: Settings, stop: Stop) -> None:
    """Loads until `stop`, then what the lake holds by then. Raises `SetupError`."""
    progress = Progress()
    with (
        opened(settings, role="ingest") as lakehouse,
        beating(settings.home, PART, progress.said),
        alone(settings.home, PART, stop) as can_work,
    ):
        wait, shift = FIRST_WAIT_S, can_work
        while shift:
            try:
                _shift(lakehouse, stop, progress)
                shift = False
            except (FencedError, TransientError) as exc:
                wait = FIRST_WAIT_S if not progress.trouble else min(wait * 2, LONGEST_WAIT_S)
                progress.trouble = exc.message
                log.warning("%s; starting again in %.1f s", exc, wait)
                shift = not stop.wait(wait)
    heartbeat.forget(settings.home, PART)


def _shift(lakehouse: Lakehouse, stop: Stop, progress: Progress) -> None:
    """Works until told to stop; trouble with one table keeps the other from nothing."""
    url, interval_s = lakehouse.database_url, lakehouse.settings.load.interval_s
    with (
        leased(url, PART, lakehouse.settings.home, stop) as lease,
        closing(open_connection(url)) as connection,
        translated(url),
    ):
        loaders = loaders_of(lakehouse, connection, progress)
        due = time.monotonic() + RENEW_EVERY_S
        while not stop:
            _turn(loaders, progress, stop.__bool__)
            stop.wait(interval_s)
            if time.monotonic() >= due:
                due = time.monotonic() + RENEW_EVERY_S
                if not lease.renew():
                    raise FencedError(
                        "another loader took the lease while this one did not answer",
                        hint="Nothing is lost: this one goes on when the other ends.",
                    )
        last = time.monotonic() + LAST_LOOK_S
        _turn(loaders, progress, lambda: time.monotonic() > last)


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
