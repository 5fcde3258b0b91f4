"""One worker of a kind at a time: by a lock within a home, by a lease between machines.

Neither makes anything correct. They keep a second worker from work in vain.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tidelake import files
from tidelake.pipeline.stopping import Stop
from tidelake.warehouse.lease import Lease

log = logging.getLogger("tidelake.alone")

LEASE_S = 15.0
ALONE_EVERY_S = 0.5  # between two looks whether the other has ended


@contextmanager
def alone(home: Path, work: str, stop: Stop) -> Iterator[bool]:
    """Waits while another process of this home does the work; False where `stop` came first.

    Not by the lease: a killed one would hold it until its end, and the next must not wait.
    """
    disk, path = files.open_disk(), home / "run" / f"{work}.lock"
    lock = disk.lock(path)
    if lock is None:
        log.warning("another %s of %s runs; waiting for its end", work, home)
    while lock is None and not stop.wait(ALONE_EVERY_S):
        lock = disk.lock(path)
    try:
        yield lock is not None
    finally:
        if lock is not None:
            lock.release()


@contextmanager
def leased(database_url: str, work: str, home: Path, stop: Stop) -> Iterator[Lease]:
    """Waits for the lease of the work, while another machine holds it, or until `stop`."""
    lease = Lease(database_url, work, f"{socket.gethostname()}:{home}", LEASE_S)
    try:
        while not lease.take() and not stop:
            log.warning("another %s holds the lease; waiting", work)
            stop.wait(LEASE_S / 3)
        yield lease
        lease.release()
    finally:
        lease.close()
