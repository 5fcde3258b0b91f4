"""The processes that encode: the Python decoder holds the interpreter's lock, cores do not."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
from concurrent.futures import Future, ProcessPoolExecutor
from types import TracebackType
from typing import Self

from tidelake.batch import Take
from tidelake.lake.writer import StoredRange
from tidelake.pipeline.encode import Encoder
from tidelake.pipeline.memory import keep_little
from tidelake.pipeline.supervise import die_with_parent

_encoder: Encoder | None = None


class ProcessWorkers:
    """A pool of encoding processes, started anew with each encoder; a context manager."""

    def __init__(self, encoder: Encoder, count: int = 0) -> None:
        self.count = count or min(2, os.cpu_count() or 1)
        self._pool = ProcessPoolExecutor(
            self.count,
            # Not fork: the parent runs threads (gRPC of pyarrow, the database's pool).
            mp_context=multiprocessing.get_context("spawn"),
            initializer=_start,
            initargs=(encoder,),
        )

    def submit(self, take: Take, judged: frozenset[int]) -> Future[StoredRange]:
        return self._pool.submit(_encode, take, judged)

    def warm_up(self) -> None:
        """Starts every process and waits until it has loaded what it needs."""
        for ready in [self._pool.submit(_warm) for _ in range(self.count)]:
            ready.result()

    def pids(self) -> list[int]:
        return list(self._pool._processes or ())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)


def _start(encoder: Encoder) -> None:
    global _encoder  # noqa: PLW0603 # a pool's initializer has no other way to hand something over
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent drains first
    die_with_parent()
    keep_little()
    _encoder = encoder


def _encode(take: Take, judged: frozenset[int]) -> StoredRange:
    assert _encoder is not None, "the pool was started with an encoder"
    gc.disable()  # a take makes a hundred thousand objects and no cycle: 7 % less CPU
    try:
        return _encoder(take, judged)
    finally:
        gc.enable()


def _warm() -> int:
    import tidelake.lake.file_io
    import tidelake.lake.parquet
    import tidelake.process  # noqa: F401 # loaded now, so that the first take does not wait

    gc.freeze()  # what is loaded stays: collections need not look at it
    return os.getpid()
