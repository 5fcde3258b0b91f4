"""The ingest part: from the inbox to the lake, for as long as it is not told to stop.

Trouble ends a shift: the next one asks for the positions again and starts from them. Passing
trouble is waited out with backoff; a broken setup ends the part.
"""

from __future__ import annotations

import logging
import time
from contextlib import ExitStack, closing
from dataclasses import replace

from tidelake import files
from tidelake.errors import FailedTakeError, FencedError, TransientError
from tidelake.event.contract import EVENTS, REJECTED, Contract
from tidelake.inbox import Bounds
from tidelake.lake.commit import Committer
from tidelake.lake.contract import contract_of
from tidelake.lake.tables import load_table
from tidelake.lake.writer import Writer
from tidelake.observe import heartbeat
from tidelake.pipeline.alone import alone, leased
from tidelake.pipeline.caution import Caution
from tidelake.pipeline.encode import Encoder
from tidelake.pipeline.ingest_report import PART, Report, beat_in_trouble
from tidelake.pipeline.lakehouse import Lakehouse, opened
from tidelake.pipeline.loop import Loop, Pace
from tidelake.pipeline.rules import rules_of
from tidelake.pipeline.stopping import Stop
from tidelake.pipeline.workers import ProcessWorkers
from tidelake.settings import Settings
from tidelake.sources.inbox import InboxSource

log = logging.getLogger("tidelake.ingest")

TURN_S = 0.05  # between two looks when nothing moved
FIRST_WAIT_S, LONGEST_WAIT_S = 0.5, 10.0
TRIES_AT_THE_END = 3  # to bring the rest to the lake, once it is told to stop
HOUSEKEEPING_EVERY_S = 10.0


def run(settings: Settings, stop: Stop) -> None:
    """Ingests until `stop`, then commits what the inbox still holds. Raises `SetupError`."""
    with opened(settings, role="ingest") as lakehouse, alone(settings.home, PART, stop) as can_work:
        caution, wait, last_tries = Caution(), FIRST_WAIT_S, TRIES_AT_THE_END
        while can_work and last_tries:
            last_tries -= bool(stop)
            try:
                _shift(lakehouse, stop, caution)
                wait = FIRST_WAIT_S
                if stop:
                    break
            except (FencedError, TransientError) as exc:
                if isinstance(exc, FailedTakeError):
                    caution.failed(exc)
                log.warning("%s; starting again in %.1f s", exc, wait)
                beat_in_trouble(settings.home, exc.message)
                time.sleep(wait) if stop else stop.wait(wait)
                wait = min(wait * 2, LONGEST_WAIT_S)
        if can_work:
            heartbeat.forget(settings.home, PART)


def _shift(lakehouse: Lakehouse, stop: Stop, caution: Caution) -> None:
    """Works until told to stop, or until the contract has changed."""
    settings, pace = lakehouse.settings, pace_of(lakehouse.settings)
    source = InboxSource(settings.home, files.open_disk(), Bounds(settings.lake.batch_bytes))
    encoder = replace(encoder_of(lakehouse), refused=caution.refused)
    with ExitStack() as open_things:
        held = leased(lakehouse.database_url, PART, settings.home, stop)
        lease = open_things.enter_context(held)
        workers = open_things.enter_context(ProcessWorkers(encoder, settings.process.workers))
        workers.warm_up()
        report = open_things.enter_context(closing(Report(lakehouse, workers.pids())))
        committer = Committer(lakehouse.catalog)
        told = report.committed
        loop = Loop(source, committer, workers, pace, time.monotonic, told, caution)
        log.info("ingesting with %d workers", workers.count)
        due = time.monotonic() + HOUSEKEEPING_EVERY_S
        while not stop:
            if not loop.turn():
                stop.wait(TURN_S)
            report.beat(loop)
            if time.monotonic() >= due:
                due = time.monotonic() + HOUSEKEEPING_EVERY_S
                source.sweep(time.time(), settings.inbox.keep_h * 3600)
                report.prune()
                if not lease.renew() or _contract(lakehouse) != encoder.contract:
                    break
        if stop:
            _drain(loop, report)


def _drain(loop: Loop, report: Report) -> None:
    loop.drain()
    while not loop.idle:
        if not loop.turn():
            time.sleep(TURN_S)
        report.beat(loop)


def encoder_of(lakehouse: Lakehouse, max_age_days: float | None = None) -> Encoder:
    """What workers need: the contract with the columns that were evolved, the rules, a writer."""
    events = load_table(lakehouse.catalog, EVENTS.table)
    rejected = load_table(lakehouse.catalog, REJECTED.table)
    return Encoder(
        contract_of(events),
        rules_of(lakehouse.settings, max_age_days),
        Writer.for_tables(events, rejected),
    )


def _contract(lakehouse: Lakehouse) -> Contract:
    return contract_of(load_table(lakehouse.catalog, EVENTS.table))


def pace_of(settings: Settings) -> Pace:
    return Pace(settings.lake.commit_interval_s, settings.lake.quiet_interval_s)
