"""`tidelake up`: every part of the pipeline on one machine, until it is told to stop."""

from __future__ import annotations

import fcntl
import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from urllib.error import URLError
from urllib.request import urlopen

from tidelake.errors import SetupError
from tidelake.observe import heartbeat
from tidelake.pipeline.collect import collector_url
from tidelake.pipeline.lakehouse import attach
from tidelake.pipeline.stopping import Stop
from tidelake.pipeline.supervise import Part, Supervisor, command
from tidelake.settings import Settings
from tidelake.warehouse.server import EmbeddedPostgres

WATCH_EVERY_S = 0.2
DRAIN_WITHIN_S = 120.0  # what the inbox may still hold when everything is told to stop


@dataclass(frozen=True, slots=True)
class Running:
    """A pipeline whose parts are all ready."""

    settings: Settings
    supervisor: Supervisor
    database_url: str
    collector: str  # URL


def up(settings: Settings, stop: Stop, report: Callable[[str], None], rate: float = 0) -> None:
    """Runs all parts until `stop`; with `rate`, sends that many mock events a second as well."""
    with running(settings, report) as pipeline:
        if rate > 0:
            pipeline.supervisor.start(_generator(settings, pipeline.collector, rate))
        report(f"events   {pipeline.collector}/v1/events   (how: {pipeline.collector}/docs)")
        report(f"lake     {settings.warehouse}")
        report("running; Ctrl-C drains and stops")
        while not stop:
            pipeline.supervisor.watch()
            stop.wait(WATCH_EVERY_S)
        report("stopping: no more events are taken, what was taken is brought to the lake")


@contextmanager
def running(
    settings: Settings,
    report: Callable[[str], None],
    environment: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[Running]:
    """All parts, started in order and each ready; stopped in order at the end, also on errors.

    `environment` holds settings for the parts that win over those of this process.
    """
    home = settings.home
    home.mkdir(parents=True, exist_ok=True)
    supervisor = Supervisor(report, home / "logs")
    with _alone(home):
        try:
            report("starting PostgreSQL, ingest, care and the collector …")
            database_url = _database(settings, supervisor)
            attach(settings, database_url).catalog.close()
            supervisor.start(
                _part(settings, "ingest", environment),
                _part(settings, "care", environment),
                _collector(settings, environment),
            )
            yield Running(settings, supervisor, database_url, _collector_url(home))
        finally:
            supervisor.stop()


def _database(settings: Settings, supervisor: Supervisor) -> str:
    if settings.postgres.url:
        return settings.postgres.url
    server = EmbeddedPostgres(settings.home)
    # SIGINT is its fast shutdown; SIGTERM would wait for every connection to be closed.
    supervisor.start(Part("postgres", server.run_child, lambda: server.health().ok, signal.SIGINT))
    return server.url


def _part(settings: Settings, name: str, environment: Mapping[str, str]) -> Part:
    """A part that says that it is ready by its first heartbeat."""
    started = time.time()

    def ready() -> bool:
        said = heartbeat.read(settings.home).get(name)
        return said is not None and said.at >= started

    start = command(settings.home, name, "run", name, environment=environment)
    return Part(name, start, ready, stop_within_s=DRAIN_WITHIN_S)


def _collector(settings: Settings, environment: Mapping[str, str]) -> Part:
    def ready() -> bool:
        url = collector_url(settings.home)
        if url is None:
            return False
        with suppress(URLError, OSError), urlopen(f"{url}/readyz", timeout=2) as answer:
            return bool(answer.status == 200)
        return False

    start = command(settings.home, "collect", "run", "collect", environment=environment)
    return Part("collect", start, ready)


def _generator(settings: Settings, url: str, rate: float) -> Part:
    arguments = ("generate", "--rate", f"{rate:g}", "--to", url)
    return Part("generate", command(settings.home, "generate", *arguments))


def _collector_url(home: Path) -> str:
    url = collector_url(home)
    assert url is not None, "the collector is ready"
    return url


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    """Holds the home's lock; raises `SetupError` where another `tidelake up` runs on it."""
    lock = os.open(home / "up.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as exc:
        os.close(lock)
        raise SetupError(
            f"a pipeline runs on {home} already",
            hint="Use that one (`tidelake status`), stop it with Ctrl-C, or choose another --home.",
        ) from exc
    try:
        yield
    finally:
        os.close(lock)
