"""Brings one table of the lake to raw: looks what is new, and loads it file by file."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tidelake.lake.entries import LiveFile
from tidelake.lake.follow import Follower, News
from tidelake.warehouse.raw import ledger
from tidelake.warehouse.raw.ledger import Standing, Totals
from tidelake.warehouse.raw.load import Loaded, Loading
from tidelake.warehouse.raw.reconcile import begin, reconcile
from tidelake.warehouse.raw.tables import ensure_raw
from tidelake.warehouse.watermarks import Watermarks

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog

    from tidelake.event.contract import Contract
    from tidelake.warehouse.session import Connection

log = logging.getLogger("tidelake.load")

# Of many files that wait, so many are one after the other in PostgreSQL's log before it is synced
# once for all of them: a backfill of years is tens of thousands of files of some rows.
FILES_A_SYNC = 50


def never() -> bool:
    """Nobody asks to stop."""
    return False


def now() -> datetime:
    return datetime.now(UTC)


@dataclass
class Progress:
    """What was done since the start, and how many files of each table wait."""

    loads: int = 0
    rows: int = 0
    set_aside: int = 0
    waiting: dict[str, int] = field(default_factory=dict)
    trouble: str = ""

    def said(self) -> dict[str, object]:
        """For the heartbeat."""
        counted = {"loads": self.loads, "rows": self.rows, "set_aside": self.set_aside}
        return {**counted, "lag": sum(self.waiting.values()), "trouble": self.trouble}

    def add(self, loaded: Loaded) -> None:
        self.loads += 1
        self.rows += loaded.rows
        self.set_aside += loaded.set_aside


@dataclass
class TableLoader:
    """Loads one table over one connection, which is in autocommit."""

    connection: Connection
    catalog: Catalog
    table: str
    progress: Progress
    clock: Callable[[], datetime] = now
    _follower: Follower = field(init=False)
    _contract: Contract | None = None

    def __post_init__(self) -> None:
        self._follower = Follower(self.catalog, self.table)

    def turn(self, stopped: Callable[[], bool] = never) -> bool:
        """Loads what the lake has and raw has not; False where nothing has moved since last time.

        Raises `UnavailableError` where a file is missing or damaged: what comes after it waits, and
        the next turn tries again. Raises `FencedError` where another loader was at work.
        """
        if not self._follower.moved():
            return False
        news = self._follower.look(self._watermark())
        whole = False
        try:
            self._follow_contract(news)
            whole = self._take(news, stopped)
        finally:
            if not whole:
                self._follower.forget()
        return True

    def _watermark(self) -> int:
        """A consumer is known before it reads for the first time: else care may move the rows."""
        found = ledger.totals(self.connection)[self.table].watermark
        if found is None:
            Watermarks(self.connection).register(ledger.CONSUMER, self.table, 0)
        return found or 0

    def _follow_contract(self, news: News) -> None:
        if self._contract != news.contract:
            ensure_raw(self.connection, news.contract)
            self._contract = news.contract

    def _take(self, news: News, stopped: Callable[[], bool]) -> bool:
        """Whether everything was taken."""
        paths = [file.location for file in news.fresh]
        found = ledger.standing(self.connection, self.table, paths)
        waiting = [file for file in news.fresh if file.location not in found.loaded]
        self.progress.waiting[self.table] = len(waiting)
        if reason := unlike(found, news, waiting):
            return self._reconcile(reason, stopped)
        if not waiting:
            self._move_watermark(found.totals, news)
            return True
        return self._load(news, found.totals, waiting, stopped)

    def _load(
        self,
        news: News,
        totals: Totals,
        waiting: Sequence[LiveFile],
        stopped: Callable[[], bool],
    ) -> bool:
        loading = self._loading(news, totals.epoch)
        for number, file in enumerate(waiting, 1):
            if stopped():
                return False
            following = waiting[number] if number < len(waiting) else None
            durable = following is None or number % FILES_A_SYNC == 0
            watermark = _reached(file, following, news) if durable else None
            loaded = loading.load(file, watermark=watermark, durable=durable)
            if loaded is None:
                return False  # another loader has it, and so may have others: look again
            self.progress.add(loaded)
            self.progress.waiting[self.table] = len(waiting) - number
            if loaded.set_aside:
                log.warning(
                    "%d rows of %s were set aside, PostgreSQL refused them; see `tidelake raw "
                    "set-aside`",
                    loaded.set_aside,
                    file.location,
                )
        return True

    def _reconcile(self, reason: str, stopped: Callable[[], bool]) -> bool:
        """With the lake as it is after the beginning: what others loaded until then is in it."""
        log.warning("raw.%s is compared with the lake, record by record: %s", self.table, reason)
        epoch = begin(self.connection, self.table)
        news = self._follower.look(0)
        loading = self._loading(news, epoch)
        outcome = reconcile(loading, news, reason, stopped)
        if outcome is None:
            return False
        self.progress.waiting[self.table] = 0
        log.warning(
            "raw.%s is as the lake: %d rows were loaded, %d removed%s",
            self.table,
            outcome.loaded,
            outcome.removed,
            f"; {outcome.unexplained} rows can not be told" if outcome.unexplained else "",
        )
        return True

    def _loading(self, news: News, epoch: int) -> Loading:
        return Loading(self.connection, news.reader, self.table, epoch, self.clock().date())

    def _move_watermark(self, totals: Totals, news: News) -> None:
        if totals.watermark != news.sequence_number:
            watermarks = Watermarks(self.connection)
            watermarks.register(ledger.CONSUMER, self.table, news.sequence_number)


def unlike(found: Standing, news: News, waiting: Sequence[LiveFile]) -> str:
    """Why raw can not just go on from where it is; empty where it can.

    Whatever becomes of rows behind a loader's back, rolled back, rewritten, deleted, the rows that
    it has and those that wait are then not as many as the lake holds.
    """
    totals = found.totals
    if found.newest > news.sequence_number:
        return f"it has loads of later states than {news.sequence_number}, which the lake is at"
    if (totals.watermark or 0) < news.reconcile_from:
        return f"the lake was rolled back (sequence number {news.reconcile_from})"
    if any(file.sequence_number <= totals.unnamed_up_to for file in waiting):
        return f"the ledger no longer names every file up to {totals.unnamed_up_to}"
    expected = totals.accounted + sum(file.rows for file in waiting)
    if expected != news.rows:
        return (
            f"the lake holds {news.rows:,} rows; {totals.accounted:,} are in the ledger and "
            f"{expected - totals.accounted:,} wait"
        )
    return ""


def _reached(file: LiveFile, following: LiveFile | None, news: News) -> int | None:
    """Up to where everything is loaded, once this file is; None where its commit has others."""
    if following is None:
        return news.sequence_number
    return file.sequence_number if following.sequence_number > file.sequence_number else None
