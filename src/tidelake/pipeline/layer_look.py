"""One look at raw, silver and gold: their books by the ledgers, and how far each is behind."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from tidelake.event.contract import EVENTS, REJECTED
from tidelake.files import open_disk
from tidelake.inbox import Inbox
from tidelake.lake.follow import Follower
from tidelake.observe import heartbeat
from tidelake.observe.books import Books, Finding
from tidelake.observe.layer_books import LayerBooks
from tidelake.observe.layer_lag import Gold, Lag
from tidelake.pipeline.books import Look
from tidelake.pipeline.lakehouse import Lakehouse
from tidelake.pipeline.layer_books import LedgerBooks
from tidelake.pipeline.layer_lags import layer_lags
from tidelake.pipeline.loader import unlike
from tidelake.warehouse.raw import ledger
from tidelake.warehouse.session import Connection, connect

TRIES = 10  # a load may land between the look at the ledger and that at the lake
PAUSE_S = 0.3


@dataclass(frozen=True, slots=True)
class LayerLook:
    """What was seen. `rows_waiting` are rows of the lake that are not in raw, by table."""

    lags: tuple[Lag, ...]
    gold: Gold | None
    books: LayerBooks
    rows_waiting: Mapping[str, int]
    findings: tuple[Finding, ...]


def look_at_layers(
    lakehouse: Lakehouse, lake: Look, sleep: Callable[[float], None] = time.sleep
) -> LayerLook:
    """Costs by what waits, and by the windows of silver. Raises `UnavailableError`, `SetupError`.

    Rows of the lake that raw lacks are a fault of raw only where the lake itself is sound.
    """
    now = time.time()
    with connect(lakehouse.database_url) as connection:
        waiting, unexplained = _against_lake(lakehouse, connection, sleep)
        lags = layer_lags(connection)
        books = LedgerBooks().read(connection)
    lake_is_sound = lake.books.balanced
    findings = [*(unexplained if lake_is_sound else []), *books.wrong()]
    in_lake = Lag(
        "lake", lake.books.waiting, "records", lake.books.waiting, _oldest(lakehouse, lake, now)
    )
    return LayerLook((in_lake, *lags.lags), lags.gold, books, waiting, tuple(findings))


def _against_lake(
    lakehouse: Lakehouse, connection: Connection, sleep: Callable[[float], None]
) -> tuple[dict[str, int], list[Finding]]:
    """Rows that wait for raw by table, and where the lake has other rows than loaded and waiting.

    Asked again for a while: what is loaded, and what care does meanwhile, is no fault.
    """
    waiting, findings = dict[str, int](), list[Finding]()
    for table in (EVENTS.table, REJECTED.table):
        for left in reversed(range(TRIES)):
            waiting[table], reason = _once(lakehouse, connection, table)
            if not reason:
                break
            if left:
                sleep(PAUSE_S)
        else:
            findings.append(
                Finding("raw", f"raw.{table}: {reason}; the loader compares both and mends it")
            )
    return waiting, findings


def _once(lakehouse: Lakehouse, connection: Connection, table: str) -> tuple[int, str]:
    totals = ledger.totals(connection)[table]
    news = Follower(lakehouse.catalog, table).look(totals.watermark or 0)
    if totals.watermark is None or totals.watermark < news.reconcile_from:
        # Never loaded, or not since the lake was rolled back: the loader compares all there is.
        return max(news.rows - totals.accounted, 0), ""
    found = ledger.standing(connection, table, [file.location for file in news.fresh])
    fresh = [file for file in news.fresh if file.location not in found.loaded]
    return sum(file.rows for file in fresh), unlike(found, news, fresh)


def _oldest(lakehouse: Lakehouse, lake: Look, now: float) -> float:
    """Age in seconds of the oldest record that waits in the inbox; 0 where none does."""
    if not lake.books.waiting:
        return 0.0
    said = heartbeat.read(lakehouse.settings.home).get("ingest")
    if said is not None and not said.stale(now) and said.values.get("lag_s") is not None:
        return float(said.values["lag_s"])
    return max((now - received for received in _first_waiting(lakehouse, lake.books)), default=0.0)


def _first_waiting(lakehouse: Lakehouse, books: Books) -> Iterator[float]:
    """When the first record that waits in each lane was received (epoch seconds)."""
    inbox = Inbox(lakehouse.settings.home, open_disk())
    for stream, accepted in books.accepted.items():
        position = books.positions.get(stream, 0)
        if accepted > position:
            for take in inbox.takes(stream, position, position + 1):
                yield from (at.timestamp() for at in take.read().records["received_at"].to_pylist())
