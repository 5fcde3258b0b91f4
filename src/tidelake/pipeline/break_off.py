"""Ends a run of dbt that does not end by itself once everything is told to stop.

dbtRunner runs in this process and catches Ctrl-C, so a stop lets the cycle under way finish, and is
told to dbt by a signal of its own after the time that most cycles need.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from tidelake.errors import TidelakeError
from tidelake.pipeline.beside import beside
from tidelake.pipeline.stopping import Stop

FINISH_WITHIN_S = 8.0
BREAK_OFF = signal.SIGUSR1
END_QUERIES_EVERY_S = 0.5


@contextmanager
def broken_off_by(stop: Stop, end_queries: Callable[[], None]) -> Iterator[None]:
    """Breaks off what still runs some seconds after `stop`, by KeyboardInterrupt in this thread.

    Only in the main thread. dbt then waits for its queries, so they are ended as well.
    """
    before = signal.signal(BREAK_OFF, signal.default_int_handler)

    def watch(ended: threading.Event) -> None:
        while not stop.wait(1.0):
            if ended.is_set():
                return
        if ended.wait(FINISH_WITHIN_S):
            return
        with suppress(TidelakeError):
            end_queries()
        # To the main thread: another one would not wake it from where it waits.
        signal.pthread_kill(threading.main_thread().ident or 0, BREAK_OFF)
        while not ended.wait(END_QUERIES_EVERY_S):
            with suppress(TidelakeError):
                end_queries()

    try:
        with beside("break off", watch):
            yield
    finally:
        signal.signal(BREAK_OFF, before)
