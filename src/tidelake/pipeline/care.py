"""The care part: looks after the tables at a set interval, off the commit path."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from tidelake.errors import TransientError
from tidelake.lake.care.run import Carer, TableReport
from tidelake.observe import heartbeat
from tidelake.pipeline.lakehouse import Lakehouse, opened
from tidelake.pipeline.memory import resident_now
from tidelake.pipeline.stopping import Stop
from tidelake.settings import Settings
from tidelake.warehouse.watermarks import Watermarks

log = logging.getLogger("tidelake.care")

PART = "care"
BEAT_EVERY_S = 2.0


def run(settings: Settings, stop: Stop) -> None:
    """Looks after both tables until `stop`; a look that is under way is finished."""
    with opened(settings) as lakehouse, carer(lakehouse) as looking:
        done = {"looks": 0, "rewritten_bytes": 0, "expired": 0, "removed": 0}
        while not stop:
            trouble = ""
            try:
                _add(done, looking.once(datetime.now(UTC)))
            except TransientError as exc:
                trouble = exc.message
                log.warning("%s; the next look goes on", exc)
            _rest(settings, stop, {**done, "trouble": trouble})
    heartbeat.forget(settings.home, PART)


@contextmanager
def carer(lakehouse: Lakehouse) -> Iterator[Carer]:
    """Care for the tables, held back by the watermarks of their consumers."""
    watermarks = Watermarks(lakehouse.database_url)
    try:
        yield Carer(lakehouse.catalog, lakehouse.settings.care, watermarks.lowest)
    finally:
        watermarks.close()


def _add(done: dict[str, int], reports: list[TableReport]) -> None:
    done["looks"] += 1
    for report in reports:
        done["rewritten_bytes"] += sum(size for _, _, size in report.rewrites)
        done["expired"] += report.expired
        done["removed"] += report.removed + report.orphans
        for day, files, size in report.rewrites:
            log.info("%s %s: %d files became %d bytes", report.table, day, files, size)


def _rest(settings: Settings, stop: Stop, values: dict[str, object]) -> None:
    """Waits for the next look, its heart beating."""
    until = time.monotonic() + settings.care.interval_s
    while not stop and time.monotonic() < until:
        said = {**values, "memory_bytes": resident_now()}
        heartbeat.beat(settings.home, PART, time.time(), said)
        stop.wait(min(BEAT_EVERY_S, settings.care.interval_s))
