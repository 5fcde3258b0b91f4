"""Stopping on request: SIGTERM and Ctrl-C set a flag, and the work ends where it is whole."""

from __future__ import annotations

import signal
import threading
from types import FrameType


class Stop:
    """Set by the first signal; a second one ends the process as it always would."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def on_signals(self) -> Stop:
        """Listens for SIGTERM and SIGINT; only in the main thread."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        return self

    def _stop(self, number: int, _frame: FrameType | None) -> None:
        self._event.set()
        signal.signal(number, signal.default_int_handler)

    def set(self) -> None:
        self._event.set()

    def __bool__(self) -> bool:
        return self._event.is_set()

    def wait(self, seconds: float) -> bool:
        """Sleeps, but no longer than until a signal; True where it came."""
        return self._event.wait(seconds)
