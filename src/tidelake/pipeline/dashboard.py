"""The dashboard part: Streamlit serves the pages over this home's gold."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from contextlib import suppress
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.request import urlopen

from tidelake.errors import SetupError
from tidelake.observe import heartbeat
from tidelake.pipeline.address import free_dashboard_port, require_login
from tidelake.pipeline.beside import beside
from tidelake.pipeline.home import make_home
from tidelake.pipeline.live_facts import Facts
from tidelake.pipeline.memory import resident_now
from tidelake.pipeline.stopping import Stop
from tidelake.settings import Settings, load

if TYPE_CHECKING:
    from tidelake.dashboard.login import Door

log = logging.getLogger("tidelake.dashboard")

PART = "dashboard"
BEAT_EVERY_S = 2.0
SCRIPT = Path(__file__).with_name("dashboard_script.py")


def draw(home: str) -> None:
    """Draws one visitor's page: what the script that Streamlit runs calls."""
    from tidelake.dashboard.app import draw

    settings, live, door = _of_home(home)
    draw(settings.home, live, door)


@cache
def _of_home(home: str) -> tuple[Settings, Facts, Door | None]:
    from tidelake.dashboard.login import Door

    settings = load(home=home)
    password = settings.dashboard.password.get_secret_value()
    return settings, Facts(settings), Door(password) if password else None


def run(settings: Settings, stop: Stop) -> None:
    """Serves until `stop`. Raises `SetupError` where nothing can or may listen there."""
    require_login(settings.dashboard)
    make_home(settings.home)
    host = settings.dashboard.host
    port = free_dashboard_port(host, settings.dashboard.port)
    url = settings.dashboard.address(port)
    try:
        with beside("heartbeat", partial(_beat, settings.home, url, stop)):
            _serve(settings.home, host, port)
    except KeyboardInterrupt:
        if not stop:
            raise
    finally:
        heartbeat.forget(settings.home, PART)


def _serve(home: Path, host: str, port: int) -> None:
    try:
        from streamlit.web import bootstrap

        from tidelake.dashboard import app, theme
    except ModuleNotFoundError as exc:
        raise SetupError(
            f"the dashboard needs {exc.name}, which is not installed",
            hint="pip install 'tidelake[dashboard]'",
        ) from exc
    assert app  # loaded before the first visitor, who would wait for it
    options = {**theme.OPTIONS, "server.address": host, "server.port": port}
    flags = {name.replace(".", "_"): value for name, value in options.items()}
    bootstrap.load_config_options(flags)
    bootstrap.run(str(SCRIPT), False, [str(home)], flags)


def _beat(home: Path, url: str, stop: Stop, ended: threading.Event) -> None:
    """Says that the part runs, from the moment that it answers; ends the server at `stop`.

    Streamlit takes the signals for itself once it serves, and `stop` has those that came before.
    """
    while not ended.wait(0.1) and not _answers(url):
        if stop:
            break
    if not ended.is_set() and not stop:
        log.info("the dashboard is at %s", url)
    while not ended.is_set():
        with suppress(OSError):  # a full disk: this heart beats when there is room again
            said = {"url": url, "memory_bytes": resident_now(), "trouble": ""}
            heartbeat.beat(home, PART, time.time(), said)
        if stop:
            os.kill(os.getpid(), signal.SIGTERM)
        ended.wait(BEAT_EVERY_S)


def _answers(url: str) -> bool:
    with suppress(OSError), urlopen(f"{url}/_stcore/health", timeout=2) as answer:
        return bool(answer.status == 200)
    return False
