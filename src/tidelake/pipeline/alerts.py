"""Looks at the alert rules while a pipeline runs, and tells the webhook what begins and ends.

It runs as a thread of `tidelake up`, the process that outlives every part: a part that dies is an
alert, not the end of alerts. `tidelake run alerts` is the same as a process of its own.
"""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from tidelake.errors import SetupError, TidelakeError
from tidelake.observe import alerts, heartbeat
from tidelake.observe.alert_rules import Rule, load_rules
from tidelake.observe.alerts import Alert, AlertState, Change
from tidelake.observe.measures import Value
from tidelake.observe.webhook import Sender, check_url, post
from tidelake.pipeline.measures import Measurer
from tidelake.pipeline.stopping import Stop
from tidelake.settings import Settings
from tidelake.warehouse.connect import borrowed
from tidelake.warehouse.roles import open_login

log = logging.getLogger("tidelake.alerts")

BEAT_EVERY_S = 2.0


@dataclass
class Watcher:
    """One home, its rules, and what is known of them."""

    home: Path
    rules: tuple[Rule, ...]
    measurer: Measurer
    sender: Sender | None
    report: Callable[[str], None]
    state: AlertState

    def look(self, now: float) -> None:
        """One look at everything; tells what changed."""
        self.state, changes = alerts.step(self.rules, self.measurer.look(now), now, self.state)
        for change in changes:
            self.report(sentence(change))
            if self.sender is not None:
                self.sender.tell(message(change.event, change.alert, self.home))

    def beat(self, now: float) -> None:
        """Writes the state down for the monitor, the dashboard and the next start."""
        trouble = self.sender.trouble if self.sender is not None else ""
        self.state = replace(self.state, at=now, trouble=trouble or self.measurer.trouble)
        with suppress(OSError):  # a full disk is an alert too, and the webhook is told all the same
            alerts.write(self.home, self.state)


def run(settings: Settings, stop: Stop) -> None:
    """The part alone, until `stop`. Raises `SetupError` for rules or a webhook that are wrong."""
    rules_of(settings)
    with borrowed(settings.home, settings.postgres.url or None) as database:
        _watch(settings, database.url, stop.wait, log.warning)


@contextmanager
def watching(
    settings: Settings, database_url: str, report: Callable[[str], None]
) -> Iterator[None]:
    """Watches from a thread while the block runs; `report` gets a sentence for each change.

    Raises `SetupError` for rules or a webhook that are wrong: before anything runs on them.
    """
    rules_of(settings)
    ended = threading.Event()
    thread = threading.Thread(
        target=_watch, args=(settings, database_url, ended.wait, report), name="alerts", daemon=True
    )
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(5)


def rules_of(settings: Settings) -> tuple[Rule, ...]:
    """The rules that the settings name; raises `SetupError`."""
    if settings.alerts.webhook_url:
        check_url(settings.alerts.webhook_url)
    return load_rules(settings.alerts.rules)


def measure(settings: Settings, database_url: str) -> Mapping[str, Value]:
    """Every measure once; the share of rejects is that since the ingest's start."""
    with closing(Measurer(settings.home, _reader(database_url))) as measurer:
        return measurer.look(time.time())


def send_test(settings: Settings, now: float) -> str:
    """Posts a test alert to the webhook, once; gives where to. Raises what `post` raises."""
    url = settings.alerts.webhook_url
    if not url:
        raise SetupError(
            "no webhook is set",
            hint="Set TIDELAKE_ALERTS_WEBHOOK_URL to the address that is to be told of alerts.",
        )
    told = "A test of tidelake's alerts: nothing is wrong"
    alert = Alert("test", "info", told, "test", None, 0.0, since=now, began=now)
    post(url, message("test", alert, settings.home))
    return url


def message(event: str, alert: Alert, home: Path) -> dict[str, Any]:
    """What a webhook gets. `text` is what chat programs show of it."""
    sign = {"begin": "🔴" if alert.severity == "critical" else "🟠", "end": "🟢"}.get(event, "🔵")
    ended = " (over)" if event == "end" else ""
    return {
        "event": event,
        "text": f"{sign} {alert.rule}{ended}: {alert.message}",
        **asdict(alert),
        "host": socket.gethostname(),
        "home": str(home),
    }


def sentence(change: Change) -> str:
    """A change for the terminal of `tidelake up`."""
    alert = change.alert
    if change.event == "begin":
        return f"{alert.severity}: {alert.message} ({alert.rule})"
    lasted = (alert.ended or alert.began) - alert.since
    return f"over after {lasted:.0f} s: {alert.message} ({alert.rule})"


def _watch(
    settings: Settings,
    database_url: str,
    wait: Callable[[float], bool],
    report: Callable[[str], None],
) -> None:
    watcher = _watcher(settings, database_url, report)
    due = time.monotonic()
    try:
        while True:
            now = time.time()
            if time.monotonic() >= due:
                due = time.monotonic() + settings.alerts.interval_s
                _look(watcher, now)
            watcher.beat(now)
            if wait(min(BEAT_EVERY_S, settings.alerts.interval_s)):
                break
    finally:
        watcher.measurer.close()
        if watcher.sender is not None:
            watcher.sender.stop()
        # They are about a pipeline that runs; one that was killed leaves them to its next start.
        heartbeat.forget(settings.home, alerts.PART)


def _look(watcher: Watcher, now: float) -> None:
    try:
        watcher.look(now)
    except TidelakeError as exc:
        log.warning("the alert rules could not be looked at: %s", exc)
    except Exception:  # whatever it is, the next look is worth more than the end of all looks
        log.exception("a look at the alert rules failed")


def _watcher(settings: Settings, database_url: str, report: Callable[[str], None]) -> Watcher:
    url = settings.alerts.webhook_url
    sender = Sender(url) if url else None
    if sender is not None:
        sender.start()
    measurer = Measurer(settings.home, _reader(database_url))
    state = alerts.read(settings.home) or AlertState()
    return Watcher(settings.home, rules_of(settings), measurer, sender, report, state)


def _reader(database_url: str) -> str:
    """The login that only reads; whoever the URL names, where it owns nothing to derive it from."""
    try:
        return open_login(database_url, "dashboard")
    except TidelakeError:
        return database_url
