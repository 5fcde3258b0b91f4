"""Mock events to where they are wanted: the generator room, and a file, a pipe or a collector."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tidelake.errors import UsageError
from tidelake.generate import Chunk, Clock, GeneratorSpec, Tally, generate, live, spread_bad
from tidelake.generate.file_sink import write_file, write_pipe
from tidelake.generate.http_sender import Answer, HttpSender, SendReport

__all__ = ["Delivery", "GeneratorSpec", "Made", "Pace", "WallClock", "run", "spread_bad"]

STDOUT = "-"


class WallClock:
    """The machine's time. A `stop` ends a wait early."""

    def __init__(self, stop: threading.Event | None = None) -> None:
        self._stop = stop or threading.Event()

    def now(self) -> float:
        return time.time()

    def sleep(self, seconds: float) -> None:
        self._stop.wait(seconds)


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast: `rate` lines a second. `live` stamps them with the time at which they are made and
    ends after `lines`, or never; otherwise the history of the spec is handed over at that rate."""

    rate: float | None = None
    live: bool = False
    lines: int | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """How lines travel to a collector."""

    key: str | None = None
    batch: int = 500
    connections: int = 2
    compress: bool = True
    patience: float = 60.0
    on_answer: Callable[[Answer], None] | None = None


@dataclass(slots=True)
class Made:
    """What came of it. `sent` is there if a collector was the target."""

    tally: Tally = field(default_factory=Tally)
    size: int = 0  # bytes of NDJSON
    seconds: float = 0.0
    sent: SendReport | None = None


def run(
    spec: GeneratorSpec,
    to: str = STDOUT,
    *,
    pace: Pace = Pace(),
    delivery: Delivery = Delivery(),
    stop: threading.Event | None = None,
    progress: Callable[[Made], None] | None = None,
) -> Made:
    """Makes events and delivers them: `to` is `-`, a path (`.gz` compresses) or an HTTP address.

    Ends early when `stop` is set. `progress` is called after each chunk. The tally counts what was
    made: if sending stopped early, `sent` says how much of it was delivered.
    """
    stop = stop or threading.Event()
    clock = WallClock(stop)
    made, begin = Made(), clock.now()
    chunks = _counted(_source(spec, pace, clock), made, stop, begin, progress)
    if to.startswith(("http://", "https://")):
        made.sent = _send(chunks, to, pace, delivery, stop, clock)
    elif to == STDOUT:
        write_pipe(sys.stdout.buffer, _paced(chunks, pace, clock))
    else:
        write_file(Path(to), _paced(chunks, pace, clock))
    made.seconds = clock.now() - begin
    return made


def _source(spec: GeneratorSpec, pace: Pace, clock: Clock) -> Iterator[Chunk]:
    if not pace.live:
        return generate(spec)
    if pace.rate is None:
        raise UsageError("live events need a rate", hint="Give --rate, events a second.")
    return live(spec, pace.rate, clock, pace.lines)


def _counted(
    chunks: Iterable[Chunk],
    made: Made,
    stop: threading.Event,
    begin: float,
    progress: Callable[[Made], None] | None,
) -> Iterator[Chunk]:
    for chunk in chunks:
        if stop.is_set():
            return
        made.tally.add(chunk.tally)
        made.size += len(chunk.data)
        made.seconds = time.time() - begin
        yield chunk
        if progress:
            progress(made)


def _paced(chunks: Iterable[Chunk], pace: Pace, clock: Clock) -> Iterator[Chunk]:
    """Holds each chunk back until it is due. Live chunks come when they are due."""
    done, begin = 0, clock.now()
    for chunk in chunks:
        if pace.rate and not pace.live:
            clock.sleep(max(begin + done / pace.rate - clock.now(), 0.0))
        done += len(chunk)
        yield chunk


def _send(
    chunks: Iterator[Chunk],
    to: str,
    pace: Pace,
    delivery: Delivery,
    stop: threading.Event,
    clock: Clock,
) -> SendReport:
    sender = HttpSender(
        to,
        key=delivery.key,
        batch=delivery.batch,
        connections=delivery.connections,
        compress=delivery.compress,
        patience=delivery.patience,
        on_answer=delivery.on_answer,
        stop=stop,
    )
    return sender.send(chunks, rate=None if pace.live else pace.rate, clock=clock)
