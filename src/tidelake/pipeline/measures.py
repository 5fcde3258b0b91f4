"""Measures a running pipeline for its alert rules: heartbeats, the disk, and PostgreSQL's ledgers.

Neither the lake nor Arrow is loaded for it: this runs inside the process that watches the parts.
"""

from __future__ import annotations

import os
import shutil
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from tidelake.errors import SetupError, TidelakeError, UnavailableError
from tidelake.observe import heartbeat
from tidelake.observe.heartbeat import Heartbeat
from tidelake.observe.measures import Value
from tidelake.pipeline.layer_books import LedgerBooks
from tidelake.pipeline.layer_lags import layer_lags
from tidelake.warehouse.session import Connection, Session

SHARE_OVER_S = 300.0  # over which the share of rejects is reckoned
NOT_WATCHED = ("alerts", "generate")  # ourselves, and what comes and goes
OF_POSTGRES = (
    "raw_lag_s",
    "silver_lag_s",
    "gold_lag_s",
    "books_wrong",
    "failed_models",
    "failed_tests",
    "set_aside_rows",
)


@dataclass(frozen=True, slots=True)
class _Judged:
    """What the ingest had judged since its start."""

    at: float
    pid: int
    events: int
    rejected: int


@dataclass
class Measurer:
    """Looks again and again at one home; `database_url` is a login that may read schema tidelake.

    `trouble` is why PostgreSQL's measures are not known, where it answers all the same.
    """

    home: Path
    database_url: str
    trouble: str = ""
    _judged: deque[_Judged] = field(default_factory=deque)
    _books: LedgerBooks = field(default_factory=LedgerBooks)
    _session: Session | None = None

    def look(self, now: float) -> dict[str, Value]:
        """Every measure; None for what can not be known now."""
        beats = heartbeat.read(self.home)
        measured = {**self._of_parts(beats, now), **self._of_disk(), **self._of_postgres()}
        # Silver's stands in the ledger of its windows, gold's is known to the part alone.
        if (failed := _failed_model(beats)) and measured["failed_models"].value == 0:
            measured["failed_models"] = Value(1, failed)
        return measured

    def close(self) -> None:
        if self._session is not None:
            self._session.close()

    def _of_parts(self, beats: Mapping[str, Heartbeat], now: float) -> dict[str, Value]:
        watched = [beat for beat in beats.values() if beat.part not in NOT_WATCHED]
        silent = min(watched, key=lambda beat: beat.at, default=None)
        troubled = {beat.part: words for beat in watched if (words := beat.concern)}
        told = "; ".join(f"{part}: {words}" for part, words in troubled.items())
        ingest = beats.get("ingest")
        waiting = ingest.values.get("waiting") if ingest else None
        return {
            "silent_s": Value(max(now - silent.at, 0.0), silent.part) if silent else Value(None),
            "troubled_parts": Value(len(troubled), told),
            "lake_lag_s": Value(_lake_lag(ingest, now)),
            "inbox_records": Value(None if waiting is None else float(waiting)),
            "reject_share": Value(self._reject_share(ingest)),
        }

    def _reject_share(self, ingest: Heartbeat | None) -> float | None:
        """Rejected of all that were judged in the last minutes; None where there were none."""
        if ingest is None:
            return None
        said = ingest.values
        newest = _Judged(ingest.at, ingest.pid, said.get("events", 0), said.get("rejected", 0))
        if self._judged and self._judged[-1].pid != newest.pid:
            self._judged.clear()  # a new process counts from nothing
        if not self._judged:
            self._judged.append(_Judged(0.0, newest.pid, newest.events, newest.rejected))
        self._judged.append(newest)
        while len(self._judged) > 2 and newest.at - self._judged[1].at >= SHARE_OVER_S:
            self._judged.popleft()
        first = self._judged[0]
        rejected = newest.rejected - first.rejected
        total = newest.events - first.events + rejected
        return rejected / total if total > 0 else None

    def _of_disk(self) -> dict[str, Value]:
        with suppress(OSError):
            usage = shutil.disk_usage(self.home)
            return {
                "disk_free_share": Value(usage.free / usage.total),
                "disk_free_bytes": Value(usage.free),
                "inbox_bytes": Value(sum(_sizes(self.home / "inbox" / "lanes"))),
            }
        return {}

    def _of_postgres(self) -> dict[str, Value]:
        unknown = dict.fromkeys(OF_POSTGRES, Value(None))
        if self._session is None:
            self._session = Session(self.database_url)
        try:
            found = self._session.run(self._ledgers)
        except TidelakeError as exc:
            down = isinstance(exc, UnavailableError)
            self.trouble = "" if down else exc.message
            return {**unknown, **of_trouble(exc)}
        self.trouble = ""
        return {**found, "postgres_down": Value(0), "postgres_refuses": Value(0)}

    def _ledgers(self, connection: Connection) -> dict[str, Value]:
        lags = layer_lags(connection)
        wrong = {finding.layer for finding in self._books.read(connection).wrong()}
        ledgers = lags.ledgers
        return {
            **{f"{lag.layer}_lag_s": Value(lag.seconds) for lag in lags.lags},
            "books_wrong": Value(len(wrong), ", ".join(sorted(wrong))),
            "failed_models": Value(float(bool(ledgers.failed_model)), ledgers.failed_model or ""),
            "failed_tests": Value(ledgers.failed_tests, ledgers.failed_test or ""),
            "set_aside_rows": Value(ledgers.set_aside),
        }


def of_trouble(exc: TidelakeError) -> dict[str, Value]:
    """Whether PostgreSQL is away, or there and of no use: a wrong password, a missing right, an
    old schema. Where it is away, nobody knows what it would say."""
    if isinstance(exc, UnavailableError):
        return {"postgres_down": Value(1, exc.message), "postgres_refuses": Value(None)}
    refuses = Value(1, exc.message) if isinstance(exc, SetupError) else Value(None)
    return {"postgres_down": Value(0), "postgres_refuses": refuses}


def _failed_model(beats: Mapping[str, Heartbeat]) -> str:
    """The model at which the transform part fails; empty for none."""
    transform = beats.get("transform")
    return str(transform.values.get("failed_model") or "") if transform else ""


def _lake_lag(ingest: Heartbeat | None, now: float) -> float | None:
    """What the ingest said, and the time since it said so where something waited."""
    said = ingest.values.get("lag_s") if ingest else None
    if ingest is None or said is None:
        return None
    return float(said) + (max(now - ingest.at, 0.0) if said else 0.0)


def _sizes(folder: Path) -> Iterator[int]:
    """Bytes of the files in the folders of a folder; what goes meanwhile counts nothing."""
    with suppress(OSError), os.scandir(folder) as lanes:
        for lane in lanes:
            with suppress(OSError), os.scandir(lane) as segments:
                for segment in segments:
                    with suppress(OSError):
                        yield segment.stat().st_size
