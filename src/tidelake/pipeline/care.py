"""The care part: looks after the tables at a set interval, off the commit path."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

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
    """Looks after both tables until `stop`; a look ends with the rewrite that is under way."""
    done = {"looks": 0, "rewritten_bytes": 0, "expired": 0, "removed": 0}
    said: dict[str, object] = {**done, "trouble": ""}
    with (
        opened(settings, role="ingest") as lakehouse,
        carer(lakehouse) as looking,
        _beating(settings.home, said),
    ):
        while not stop:
            trouble = ""
            try:
                _add(done, looking.once(datetime.now(UTC), stop.__bool__))
            except TransientError as exc:
                trouble = exc.message
                log.warning("%s; the next look goes on", exc)
            said.update(done, trouble=trouble)
            stop.wait(settings.care.interval_s)
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
        if report.put_off:
            log.info("%s: %d rewrites are left to the next look", report.table, report.put_off)


@contextmanager
def _beating(home: Path, said: Mapping[str, object]) -> Iterator[None]:
    """Beats from a thread of its own: a look at a long backlog takes minutes, and care lives."""
    ended = threading.Event()

    def beat() -> None:
        while True:
            with suppress(OSError):  # a full disk: this heart beats when there is room again
                values = {**said, "memory_bytes": resident_now()}
                heartbeat.beat(home, PART, time.time(), values)
            if ended.wait(BEAT_EVERY_S):
                return

    thread = threading.Thread(target=beat, name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
