"""What the ingest tells others: a row per commit in PostgreSQL, and its heartbeat."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from tidelake.lake.commit import Committed
from tidelake.lake.writer import StoredRange
from tidelake.observe import heartbeat
from tidelake.observe.waiting import Waiting
from tidelake.pipeline.lakehouse import Lakehouse
from tidelake.pipeline.latency import Latency
from tidelake.pipeline.ledger import row_of
from tidelake.pipeline.loop import Loop
from tidelake.pipeline.memory import Peak, resident
from tidelake.warehouse.commits import CommitLedger

log = logging.getLogger("tidelake.ingest")

PART = "ingest"
BEAT_EVERY_S = 1.0


def beat_in_trouble(home: Path, trouble: str) -> None:
    """Between two shifts: the last word once more, and why nothing is committed.

    Without it the part would be silent, as one that hangs, and nobody would be told the cause.
    """
    now, last = time.time(), heartbeat.read(home).get(PART)
    values = dict(last.values) if last else {}
    if last and values.get("lag_s"):
        values["lag_s"] += max(now - last.at, 0.0)  # what waited waits still
    with suppress(OSError):  # the disk of the home may be what is full
        heartbeat.beat(home, PART, now, {**values, "trouble": trouble})


class Report:
    """Held through one shift; `pids` are the workers' processes."""

    def __init__(self, lakehouse: Lakehouse, pids: Sequence[int]) -> None:
        self._home = lakehouse.settings.home
        self._alert_share = lakehouse.settings.lake.reject_alert_share
        self._ledger = CommitLedger(lakehouse.database_url)
        self._latency = Latency()
        self._pids = [os.getpid(), *pids]
        self._peak = Peak(idle=resident(self._pids))
        self._waiting = Waiting()
        self._due = 0.0
        self._alert: str | None = None

    def committed(self, committed: Committed, group: list[StoredRange]) -> None:
        """Called after every commit, before the source is told to forget."""
        landed_at = time.time()
        for one in group:
            self._latency.add(int(landed_at * 1000), one.arrivals)
        self._ledger.insert(row_of(committed, group, landed_at))
        self._watch_rejects(committed)

    def prune(self) -> None:
        """Removes rows of commits that are too old to be asked for."""
        self._ledger.prune(datetime.now(UTC))

    def close(self) -> None:
        """Closes the connection to the ledger."""
        self._ledger.close()

    def beat(self, loop: Loop) -> None:
        """Once a second: what this process did, holds and uses."""
        if (now := time.time()) < self._due:
            return
        self._due = now + BEAT_EVERY_S
        self._peak.look(self._pids)
        progress, accepted, held = loop.progress, loop.accepted, loop.held
        values = {
            "commits": progress.commits,
            "events": progress.events,
            "rejected": progress.rejected,
            "damaged": progress.damaged,
            "raw_bytes": progress.raw_bytes,
            "waiting": max(accepted - held, 0),
            "lag_s": self._waiting.look(now, accepted, held),
            "in_flight": loop.in_flight,
            "most_in_flight": progress.most_in_flight,
            "memory_bytes": self._peak.now,
            "memory_peak_bytes": self._peak.most,
            "memory_idle_bytes": self._peak.idle,
            "latency_s": self._latency.percentiles(0.5, 0.99),
            "alert": self._alert,
        }
        heartbeat.beat(self._home, PART, now, values)

    def _watch_rejects(self, committed: Committed) -> None:
        tally = committed.tally
        rejected = sum(tally.rejected.values())
        share = rejected / max(rejected + tally.events, 1)
        self._alert = None
        if share > self._alert_share:
            common = max(tally.rejected, key=lambda reason: tally.rejected[reason])
            self._alert = f"{share:.0%} of the last commit was rejected, mostly {common}"
            log.warning("%s; see `tidelake rejected list`", self._alert)
