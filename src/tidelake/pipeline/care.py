"""The care part: looks after the tables at a set interval, off the commit path."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from tidelake.errors import TransientError
from tidelake.lake.care.run import Carer, TableReport
from tidelake.observe import heartbeat
from tidelake.pipeline.beating import beating
from tidelake.pipeline.lakehouse import Lakehouse, opened
from tidelake.pipeline.stopping import Stop
from tidelake.settings import Settings
from tidelake.warehouse.watermarks import Watermarks

log = logging.getLogger("tidelake.care")

PART = "care"


def run(settings: Settings, stop: Stop) -> None:
    """Looks after both tables until `stop`; a look ends with the rewrite that is under way."""
    done = {"looks": 0, "rewritten_bytes": 0, "expired": 0, "removed": 0}
    said: dict[str, object] = {**done, "trouble": ""}
    with (
        opened(settings, role="ingest") as lakehouse,
        carer(lakehouse) as looking,
        beating(settings.home, PART, lambda: said),
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
