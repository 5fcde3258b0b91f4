"""A heartbeat from a thread of its own, for parts whose work takes minutes at times."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from tidelake.observe import heartbeat
from tidelake.pipeline.beside import beside
from tidelake.pipeline.memory import resident_now

BEAT_EVERY_S = 2.0


@contextmanager
def beating(home: Path, part: str, said: Callable[[], Mapping[str, object]]) -> Iterator[None]:
    """Beats with what `said` gives and the memory in use, while the block runs."""

    def beat(ended: threading.Event) -> None:
        while True:
            with suppress(OSError):  # a full disk: this heart beats when there is room again
                values = {**said(), "memory_bytes": resident_now()}
                heartbeat.beat(home, part, time.time(), values)
            if ended.wait(BEAT_EVERY_S):
                return

    with beside("heartbeat", beat):
        yield
