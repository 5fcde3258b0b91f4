"""`tidelake up`: every part of the pipeline on one machine, until it is told to stop.

This process lives as long as the pipeline and only watches it, so it loads neither the lake nor the
collector: with PyIceberg it would hold 158 MB.
"""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

from tidelake.errors import SetupError, TidelakeError
from tidelake.files import open_disk
from tidelake.observe import heartbeat
from tidelake.pipeline import alerts
from tidelake.pipeline.address import (
    collector_url,
    free_dashboard_port,
    free_port,
    require_login,
)
from tidelake.pipeline.home import make_home
from tidelake.pipeline.stopping import Stop
from tidelake.pipeline.supervise import Part, Stopped, Supervisor, command
from tidelake.settings import Settings
from tidelake.warehouse.server import EmbeddedPostgres

WATCH_EVERY_S = 0.2
DRAIN_WITHIN_S = 120.0  # what the inbox may still hold when everything is told to stop
PORT = "TIDELAKE_COLLECT_PORT"
CHARTS_PORT = "TIDELAKE_DASHBOARD_PORT"

# What stores events, against their way: each reads what the one behind it wrote. Started in this
# order and stopped the other way round, so that what ingest brought last is loaded as well.
STORING = ("transform", "load", "ingest")


@dataclass(frozen=True, slots=True)
class Running:
    """A pipeline whose parts are all ready."""

    settings: Settings
    supervisor: Supervisor
    database_url: str
    collector: str  # URL
    dashboard: str  # URL; empty where it is not installed


def up(settings: Settings, stop: Stop, report: Callable[[str], None], rate: float = 0) -> None:
    """Runs all parts until `stop`; with `rate`, sends that many mock events a second as well."""
    try:
        with running(settings, report, stop=stop) as pipeline:
            supervisor = pipeline.supervisor
            if rate > 0:
                supervisor.start(_generator(settings, pipeline.collector, rate))
            report(f"events   {pipeline.collector}/v1/events   (how: {pipeline.collector}/docs)")
            report(f"lake     {settings.warehouse}")
            if pipeline.dashboard:
                report(f"charts   {pipeline.dashboard}")
            report("running; Ctrl-C drains and stops")
            while not stop:
                supervisor.watch()
                stop.wait(WATCH_EVERY_S)
            report("stopping: no more events are taken, what was taken is brought to the lake")
            supervisor.stop(but="postgres")
            report(_left_over(settings, pipeline.database_url))
    except Stopped:
        report("stopped before everything ran")


@contextmanager
def running(
    settings: Settings,
    report: Callable[[str], None],
    environment: Mapping[str, str] = MappingProxyType({}),
    stop: Stop | None = None,
) -> Iterator[Running]:
    """All parts, started in order and each ready; stopped in order at the end, also on errors.

    `environment` holds settings for the parts that win over those of this process. Raises `Stopped`
    where `stop` is set before all are ready, and what `Supervisor.start` raises.
    """
    home = settings.home
    # What is wrong here is told before anything starts.
    alerts.rules_of(settings)
    require_login(settings.dashboard)
    make_home(home)
    supervisor = Supervisor(report, home / "logs")
    with _alone(home):
        try:
            report("starting PostgreSQL, ingest, load, transform, care, collector and dashboard …")
            database_url = _database(settings, supervisor, stop)
            # Before the others: they make what is missing in the database and the lake.
            storing = (_part(settings, name, environment) for name in STORING)
            supervisor.start(*storing, stop=stop)
            port = free_port(
                settings.collect.host, int(environment.get(PORT, settings.collect.port))
            )
            supervisor.start(
                _part(settings, "care", environment),
                _collector(settings, environment, port),
                stop=stop,
            )
            url = _collector_url(home)
            if trouble := _trouble(url):
                report(f"warning: events are refused for now: {trouble}")
            charts = _dashboard(settings, environment, supervisor, report, stop)
            with alerts.watching(settings, database_url, report):
                yield Running(settings, supervisor, database_url, url, charts)
        finally:
            supervisor.stop()


def _database(settings: Settings, supervisor: Supervisor, stop: Stop | None) -> str:
    """URL of the database, which answers.

    The embedded server outlives a supervisor that was killed, unlike the other parts: an ingest
    that drains at its end needs it. The next `up` stops it and starts its own.
    """
    if settings.postgres.url:
        return settings.postgres.url
    server = EmbeddedPostgres(settings.home)
    # SIGINT is its fast shutdown; SIGTERM would wait for every connection to be closed.
    part = Part("postgres", server.run_child, lambda: server.health().ok, signal.SIGINT)
    supervisor.start(part, stop=stop)
    return server.url


def _part(settings: Settings, name: str, environment: Mapping[str, str]) -> Part:
    """A part that says that it is ready by its first heartbeat."""
    started = time.time()

    def ready() -> bool:
        said = heartbeat.read(settings.home).get(name)
        return said is not None and said.at >= started

    start = command(settings.home, name, "run", name, *_ours(), environment=environment)
    return Part(name, start, ready, stop_within_s=DRAIN_WITHIN_S)


def _collector(settings: Settings, environment: Mapping[str, str], port: int) -> Part:
    """The collector on a port that it keeps over restarts, since clients know it by then.

    It is ready when it answers at all. That it takes events is more than can be waited for: with a
    full inbox it takes none until ingest, which must run for that, has drained it.
    """

    def ready() -> bool:
        url = collector_url(settings.home)
        if url is None or not url.endswith(f":{port}"):
            return False  # none yet, or what a killed one left
        with suppress(URLError, OSError), urlopen(f"{url}/healthz", timeout=2) as answer:
            return bool(answer.status == 200)
        return False

    arguments = ("run", "collect", *_ours())
    environment = {**environment, PORT: str(port)}
    return Part(
        "collect", command(settings.home, "collect", *arguments, environment=environment), ready
    )


def _dashboard(
    settings: Settings,
    environment: Mapping[str, str],
    supervisor: Supervisor,
    report: Callable[[str], None],
    stop: Stop | None,
) -> str:
    """Starts the dashboard; gives its URL, or nothing where it is not installed.

    Nobody sends events there: where its port is taken it listens on another one.
    """
    if find_spec("streamlit") is None:
        report("the dashboard is not installed: pip install 'tidelake[dashboard]'")
        return ""
    host = settings.dashboard.host
    wanted = int(environment.get(CHARTS_PORT, settings.dashboard.port))
    try:
        port = free_dashboard_port(host, wanted)
    except SetupError as exc:
        report(f"{exc.message}; it takes another port")
        port = free_dashboard_port(host, 0)
    part = _part(settings, "dashboard", {**environment, CHARTS_PORT: str(port)})
    supervisor.start(part, stop=stop)
    return str(heartbeat.read(settings.home)["dashboard"].values["url"])


def _generator(settings: Settings, url: str, rate: float) -> Part:
    arguments = ("generate", "--rate", f"{rate:g}", "--to", url, *_ours())
    return Part("generate", command(settings.home, "generate", *arguments))


def _ours() -> tuple[str, str]:
    """Says to a part whose end is its own."""
    return "--parent", str(os.getpid())


def _trouble(url: str) -> str:
    """Why the collector takes no events, in its own words; empty where it takes them."""
    try:
        with urlopen(f"{url}/readyz", timeout=2):
            return ""
    except HTTPError as exc:
        with exc, suppress(ValueError, OSError):
            return str(json.load(exc)["trouble"])
        return f"{url}/readyz answers {exc.code}"
    except OSError as exc:
        return f"{url}/readyz does not answer: {exc}"


def _left_over(settings: Settings, database_url: str) -> str:
    """A sentence on what is still in the inbox, now that nothing runs but the database."""
    from tidelake.pipeline.waiting import records_waiting

    try:
        waiting = records_waiting(settings, database_url)
    except TidelakeError as exc:
        return f"stopped; what still waits in the inbox can not be told: {exc}"
    if waiting:
        return f"stopped; {waiting:,} records wait in the inbox, the next start takes them"
    return "stopped; everything is in the lake"


def _collector_url(home: Path) -> str:
    url = collector_url(home)
    assert url is not None, "the collector is ready"
    return url


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    """Holds the home's lock; raises `SetupError` where another `tidelake up` runs on it."""
    lock = open_disk().lock(home / "up.lock")
    if lock is None:
        raise SetupError(
            f"a pipeline runs on {home} already",
            hint="Use that one (`tidelake status`), stop it with Ctrl-C, or choose another --home.",
        )
    try:
        yield
    finally:
        lock.release()
