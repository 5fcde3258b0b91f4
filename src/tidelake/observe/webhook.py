"""Tells a webhook of alerts: one JSON object a POST, from a thread of its own, tried again."""

from __future__ import annotations

import json
import queue
import random
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from tidelake.errors import SetupError, UnavailableError

TIMEOUT_S = 5.0
TRIES = 8
FIRST_WAIT_S, LONGEST_WAIT_S = 1.0, 120.0
MOST_WAITING = 200  # alerts; beyond it the oldest is dropped
LATER = (408, 425, 429)  # of the 4xx those that a later try may heal

Message = Mapping[str, Any]


def check_url(url: str) -> None:
    """Raises `SetupError` unless something can be posted there."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise SetupError(
            f"the webhook {shown(url)!r} is no http:// or https:// address",
            hint="Mend TIDELAKE_ALERTS_WEBHOOK_URL, or leave it empty to send nothing.",
        )


def shown(url: str) -> str:
    """The address without its secrets: Slack and others put theirs into path and query."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname or ''}/…" if parts.scheme else "…"


def post(url: str, message: Message, timeout_s: float = TIMEOUT_S) -> None:
    """Posts once. `UnavailableError`: a later try may succeed; `SetupError`: it will not."""
    check_url(url)
    body = json.dumps(message, ensure_ascii=False).encode()
    headers = {"Content-Type": "application/json", "User-Agent": "tidelake"}
    try:
        with urlopen(Request(url, body, headers, method="POST"), timeout=timeout_s) as answer:
            answer.read(1024)
    except HTTPError as exc:
        with exc:
            text = exc.read(200).decode("utf-8", "replace").strip()
        told = f"the webhook {shown(url)} answers {exc.code} {text}".strip()
        if exc.code >= 500 or exc.code in LATER:
            raise UnavailableError(told) from exc
        raise SetupError(told, hint="Mend TIDELAKE_ALERTS_WEBHOOK_URL.") from exc
    except (URLError, OSError, HTTPException) as exc:
        reason = exc.reason if isinstance(exc, URLError) else exc
        raise UnavailableError(f"the webhook {shown(url)} does not answer: {reason}") from exc


@dataclass
class Sender:
    """Posts in order, one at a time; `tell` never waits. `trouble` is why the last try failed."""

    url: str
    timeout_s: float = TIMEOUT_S
    first_wait_s: float = FIRST_WAIT_S
    trouble: str = ""
    _waiting: queue.Queue[Message] = field(default_factory=lambda: queue.Queue(MOST_WAITING))
    _ended: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="webhook", daemon=True)
        self._thread.start()

    def tell(self, message: Message) -> None:
        """Puts a message into the queue; where it is full, the oldest one is lost."""
        while True:
            try:
                self._waiting.put_nowait(message)
                return
            except queue.Full:
                self._waiting.get_nowait()
                self._waiting.task_done()

    def stop(self, within_s: float = 2.0) -> None:
        """Ends the thread; what was told and is not sent then is given up."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join(within_s)

    def _run(self) -> None:
        while not self._ended.is_set() or not self._waiting.empty():
            try:
                message = self._waiting.get(timeout=0.2)
            except queue.Empty:
                continue
            self._deliver(message)
            self._waiting.task_done()

    def _deliver(self, message: Message) -> None:
        wait = self.first_wait_s
        for left in reversed(range(TRIES)):
            try:
                post(self.url, message, self.timeout_s)
                self.trouble = ""
                return
            except SetupError as exc:
                self.trouble = exc.message
                return
            except UnavailableError as exc:
                self.trouble = exc.message if left else f"{exc.message}; given up after {TRIES}"
            # Told to stop: one try each for what still waits.
            if self._ended.wait(random.uniform(wait / 2, wait)):
                return
            wait = min(wait * 2, LONGEST_WAIT_S)
