"""`tidelake rebuild raw`: the raw layer made anew from the lake, while the old one is read."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import date

from tidelake import files
from tidelake.errors import TransientError, UnavailableError, UsageError
from tidelake.event.contract import EVENTS, REJECTED
from tidelake.lake.follow import Follower
from tidelake.pipeline.alone import LEASE_S
from tidelake.pipeline.beside import beside
from tidelake.pipeline.lakehouse import Lakehouse
from tidelake.pipeline.load import PART, REBUILD
from tidelake.warehouse.lease import Lease
from tidelake.warehouse.raw import ledger
from tidelake.warehouse.raw.load import Loading
from tidelake.warehouse.raw.reconcile import begin, reconcile
from tidelake.warehouse.raw.refill import Refill
from tidelake.warehouse.raw.tables import ensure_raw
from tidelake.warehouse.session import Connection, open_connection, translated
from tidelake.warehouse.watermarks import Watermarks

LOADER_ENDS_WITHIN_S = 90.0  # the load that it is at, and the lease of one that was killed


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What a rebuild gave; `loaded` and `removed` are what the ledger lacked and had too many."""

    table: str
    rows: int
    loaded: int
    removed: int


def rebuild_raw(
    lakehouse: Lakehouse,
    today: date,
    report: Callable[[str], None],
    *,
    dropped_too: bool = False,
) -> list[Rebuilt]:
    """Both tables from the lake, in partitions beside the present ones, then exchanged.

    Rows keep load id and day of load, if the ledger knows them; others count as loaded `today`.
    With `dropped_too` the days that retention has dropped come back.
    The loader waits meanwhile. May be killed at any time and run again. Raises `UsageError` while
    another rebuild runs, `UnavailableError` where the lake can not be read, and `FencedError` where
    a loader did not wait; raw is then as it was.
    """
    url = lakehouse.database_url
    with (
        translated(url),
        _instead_of_the_loader(lakehouse),
        closing(open_connection(url)) as connection,
    ):
        return [
            _rebuild(lakehouse, connection, contract.table, today, report, dropped_too)
            for contract in (REJECTED, EVENTS)
        ]


def _rebuild(
    lakehouse: Lakehouse,
    connection: Connection,
    table: str,
    today: date,
    report: Callable[[str], None],
    dropped_too: bool,
) -> Rebuilt:
    report(f"{table}: comparing the ledger with the lake …")
    epoch = begin(connection, table)
    news = Follower(lakehouse.catalog, table).look(0)
    ensure_raw(connection, news.contract)
    loading = Loading(connection, news.reader, table, epoch, today)
    outcome = reconcile(loading, news, "raw is made anew")
    assert outcome is not None, "nothing told it to stop"
    # As long as files are read care must leave them.
    Watermarks(connection).register(ledger.CONSUMER, table, 0)
    stands_at = ledger.totals(connection)[table]
    refill = Refill(connection, news.reader, table, news, stands_at, dropped_too)

    def progress(done: int, files: int, rows: int) -> None:
        report(f"{table}: {done:,} of {files:,} files, {rows:,} rows")

    refill.fill(progress)
    refill.swap()
    report(f"{table}: {refill.rows:,} rows are in place")
    return Rebuilt(table, refill.rows, outcome.loaded, outcome.removed)


@contextmanager
def _instead_of_the_loader(lakehouse: Lakehouse) -> Iterator[None]:
    """Holds the loader's lease, once it has given way.

    Under the name of the home, which a lock gives to one process: whoever comes after a rebuild
    that was killed need not wait for the end of its leases.
    """
    home = lakehouse.settings.home
    holder = f"{socket.gethostname()}:{home}:{REBUILD}"
    with ExitStack() as leases:
        lock = files.open_disk().lock(home / "run" / "rebuild-raw.lock")
        if lock is None:
            raise _already()
        leases.callback(lock.release)
        rebuild, loader = (
            leases.enter_context(closing(Lease(lakehouse.database_url, name, holder, LEASE_S)))
            for name in (REBUILD, PART)
        )
        if not rebuild.take():
            raise _already()
        leases.callback(rebuild.release)
        _wait_for(loader, rebuild)
        leases.callback(loader.release)
        with _renewing(rebuild, loader):
            yield


def _already() -> UsageError:
    return UsageError("raw is made anew already", hint="Wait for the end of that rebuild.")


def _wait_for(loader: Lease, rebuild: Lease) -> None:
    deadline = time.monotonic() + LOADER_ENDS_WITHIN_S
    while not loader.take():
        rebuild.renew()
        if time.monotonic() > deadline:
            raise UnavailableError(
                "the loader does not give way",
                hint="Stop `tidelake up`, or `tidelake run load`, then run the rebuild again.",
            )
        time.sleep(0.2)


@contextmanager
def _renewing(*leases: Lease) -> Iterator[None]:
    """From a thread of its own: a comparison with the lake takes longer than a lease."""

    def renew(ended: threading.Event) -> None:
        while not ended.wait(LEASE_S / 3):
            with suppress(TransientError):  # it is correct without; the work itself will say so
                for lease in leases:
                    lease.take()

    with beside("lease", renew):
        yield
