"""The collector: HTTP requests into the inbox."""

from __future__ import annotations

import asyncio
import fcntl
import logging
import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tidelake.collect.accept import Accepting
from tidelake.collect.held import Held
from tidelake.collect.keys import Keys
from tidelake.collect.meter import Counts
from tidelake.collect.records import Judge, Records
from tidelake.collect.routes import Routes
from tidelake.collect.server import Collector
from tidelake.collect.service import Service
from tidelake.collect.siblings import Siblings
from tidelake.errors import (
    OverloadedError,
    SetupError,
    TidelakeError,
    TransientError,
    UnavailableError,
)
from tidelake.files import Disk, open_disk
from tidelake.files.trouble import translated
from tidelake.inbox import InboxBound, LaneWriter, SegmentLimits
from tidelake.inbox import Records as InboxRecords
from tidelake.observe import heartbeat
from tidelake.pipeline.address import collector_url, free_port, run_folder
from tidelake.pipeline.home import make_home
from tidelake.pipeline.memory import resident_now
from tidelake.pipeline.supervise import die_with_parent
from tidelake.settings import Settings

__all__ = ["collector_url", "run_folder", "serve"]

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from granian.server.mp import MPServer

PART = "collect"
BEAT_EVERY_S = 2.0
BACKLOG = 1024
TROUBLED_S = 10
# What is answered is durable, so a server process may be killed. It has to be where granian drops
# its runtime with the interpreter's lock held: https://github.com/emmett-framework/granian/issues/875
STOP_WITHIN_S = 10
URL_CHARACTERS = 256


class InboxLane:
    """A lane of the inbox as the collector needs it (`tidelake.collect.records.Durable`)."""

    def __init__(self, lane: LaneWriter, bound: InboxBound) -> None:
        self._lane = lane
        self._bound = bound
        self._failed_at, self._failure = float("-inf"), ""

    async def append(self, records: Records) -> None:
        """Durable on return; `OverloadedError` over a bound, `UnavailableError` on a bad disk."""
        self._bound.check()
        request = InboxRecords(
            records.bodies, records.envelope, records.received_at, "api", records.format
        )
        try:
            await self._lane.append(request)
        except UnavailableError as exc:
            self._failed_at, self._failure = time.monotonic(), exc.message
            raise

    def trouble(self) -> str:
        try:
            self._bound.check()
        except TidelakeError as exc:
            return exc.message
        # For a while only: whoever asks may send nothing until it is told that all is well.
        return self._failure if time.monotonic() - self._failed_at < TROUBLED_S else ""

    def frames(self) -> int:
        return self._lane.frames

    def backlog_bytes(self) -> int:
        with suppress(OverloadedError):
            self._bound.check()
        return self._bound.backlog_bytes

    async def close(self) -> None:
        await asyncio.to_thread(self._lane.close)


def serve(settings: Settings, say: Callable[[str], None]) -> None:
    """Runs the collector until SIGTERM or SIGINT; then answers what is under way, and seals.

    `say` gets one sentence with the URL. Raises `SetupError` where another collector runs on the
    home, the address can not be taken, or a server process finds a setup it can not work with.
    """
    with _alone(settings.home):
        _serve(settings, say)


def _serve(settings: Settings, say: Callable[[str], None]) -> None:
    port = free_port(settings.collect.host, settings.collect.port)
    host = settings.collect.host
    url = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    disk = open_disk()
    folder = run_folder(settings.home)
    for left in folder.glob("*.counts"):
        disk.remove(left)
    server = _server(settings, port)
    slate = disk.scratch(folder / "url")
    slate.write(url.ljust(URL_CHARACTERS).encode())
    say(f"collector on {url} (events to {url}/v1/events, {url}/docs explains)")
    failures, failing = multiprocessing.Pipe(duplex=False)
    try:
        server.serve(target_loader=partial(_load, settings, failing, os.getpid()))
    except SystemExit as exc:
        if failures.poll():
            lasting, message, hint = failures.recv()
            raise (SetupError if lasting else UnavailableError)(message, hint=hint) from exc
        raise
    finally:
        slate.close()
        disk.remove(folder / "url")


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    """Holds the home's lock; raises `SetupError` where another collector runs on it.

    POSIX's kind of lock, since a fork does not inherit it: server processes that outlive a killed
    parent for a moment must not keep the next one from starting.
    """
    make_home(home)
    folder = run_folder(home)
    with translated("lock", folder):
        folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError) as exc:  # POSIX allows either
        os.close(lock)
        raise SetupError(
            f"a collector runs on {home} already",
            hint="Send to that one, stop it, or choose another --home. For more processes, set "
            "TIDELAKE_COLLECT_WORKERS.",
        ) from exc
    try:
        yield
    finally:
        os.close(lock)


def _server(settings: Settings, port: int) -> MPServer:
    from granian.constants import HTTPModes, Interfaces, Loops
    from granian.http import HTTP1Settings
    from granian.log import LogLevels
    from granian.server.mp import MPServer

    workers = settings.collect.workers
    return MPServer(
        "tidelake",
        address=settings.collect.host,
        port=port,
        interface=Interfaces.RSGI,
        workers=workers,
        loop=Loops.asyncio,
        # A request that broke off is told from a whole one on HTTP/1 only (collect/server.py).
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(
            header_read_timeout=int(settings.collect.request_timeout_s * 1000)
        ),
        websockets=False,
        backlog=BACKLOG,
        workers_kill_timeout=STOP_WITHIN_S,
        log_level=LogLevels.warning,
        # One process that dies ends the server, and whoever started it starts it again; with
        # several, the others go on meanwhile.
        respawn_failed_workers=workers > 1,
    )


def _load(
    settings: Settings, failing: Connection, parent: int, _target: str
) -> Any:  # granian's types know functions only
    """In the server process: the RSGI application; its lane is opened when its loop is there."""
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    # Not SIGTERM: it may hang at its end (see STOP_WITHIN_S), and would keep its lane and the port.
    die_with_parent(parent, signal.SIGKILL)
    held = Held(settings.collect.max_held_bytes)

    async def opening() -> Service:
        """The service; a failure of ours is told to the parent, whose error it becomes."""
        try:
            return await open_service(settings, held)
        except TidelakeError as exc:
            lasting = not isinstance(exc, TransientError)
            failing.send((lasting, exc.message, exc.hint))
            raise SystemExit(SetupError.exit_code if lasting else exc.exit_code) from exc

    return Collector(opening, settings.collect.request_timeout_s, held)


async def open_service(settings: Settings, held: Held) -> Service:
    """Claims a lane and builds what one server process runs."""
    disk = open_disk()
    counts = Counts()
    keys = Keys(settings.collect.keys, settings.collect.workers)
    proxies = settings.collect.trusted_proxies
    accepting = Accepting(_lane(settings, disk), keys, counts, proxies, held)
    folder, name = run_folder(settings.home), str(os.getpid())
    siblings = Siblings(counts, folder, name, disk.scratch(folder / f"{name}.counts"))
    siblings.start()
    beating = asyncio.get_running_loop().create_task(_beat(settings.home, siblings))
    routes = Routes(settings.collect, accepting, _judge(settings), siblings.all)

    def stopping() -> None:
        beating.cancel()
        heartbeat.forget(settings.home, PART)
        siblings.stop()

    return Service(routes, accepting, stopping)


async def _beat(home: Path, siblings: Siblings) -> None:
    """The heartbeat of all server processes: any of them speaks for all, the last one is read."""
    while True:
        total = Counts()
        for counts in siblings.all():
            total.add(counts)
        said = {
            "requests": total.requests.total(),
            "records": total.records.total(),
            "bytes": total.bytes.total(),
            "refused": total.refused.total(),
            "memory_bytes": resident_now(),
        }
        heartbeat.beat(home, PART, time.time(), said)
        await asyncio.sleep(BEAT_EVERY_S)


def _judge(settings: Settings) -> Judge:
    """`/v1/validate`; what it needs is loaded with the first question, and rarely asked for."""

    @cache
    def loaded() -> Judge:
        from tidelake.pipeline.verdicts import judging

        return judging(settings)

    def verdicts(records: Records) -> list[dict[str, Any]]:
        return loaded()(records)

    return verdicts


def _lane(settings: Settings, disk: Disk) -> InboxLane:
    inbox = settings.inbox
    limits = SegmentLimits(inbox.segment_bytes, inbox.segment_age_s)
    bound = InboxBound(settings.home, disk, inbox.max_bytes, inbox.min_free_bytes)
    return InboxLane(LaneWriter.claim(settings.home, disk, limits), bound)
