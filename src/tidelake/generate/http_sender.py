"""Chunks of lines over HTTP to a collector, as an SDK would send them.

    POST /v1/events, Content-Type: application/x-ndjson, Content-Encoding: gzip
    200 {"accepted": n}     stored; fewer than sent means that the rest was refused
    other 4xx               refused: the same request would be refused again
    429, 5xx, no answer     sent again, the same bytes, after a pause or what Retry-After says

A request that was stored but whose answer was lost is sent again too, so a report with `retries`
may stand for repeats that the receiver sees.
"""

from __future__ import annotations

import http.client
import json
import queue
import threading
import time
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from tidelake.errors import SetupError, TidelakeError, UnavailableError, UsageError
from tidelake.generate.spoil import Chunk
from tidelake.generate.stream import Clock

EVENTS_PATH = "/v1/events"
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0  # seconds
_OK, _TOO_MANY, _SERVER_ERROR = 200, 429, 500
# Nothing that a later request could get past: the address or the key is wrong.
_HOPELESS = {301, 302, 307, 308, 401, 403, 404, 405}


@dataclass(frozen=True, slots=True)
class Answer:
    """One request's final answer: lines `first` to `first + count - 1` of the stream."""

    first: int
    count: int
    answered_at: float  # seconds since 1970
    status: int
    body: memoryview

    @property
    def records(self) -> list[bytes]:
        """The records of the request, without their newlines."""
        return bytes(self.body).split(b"\n")[: self.count]


@dataclass(slots=True)
class SendReport:
    """What became of the records: sent = accepted + refused. `abandoned` got no answer."""

    sent: int = 0
    accepted: int = 0
    refused: int = 0
    abandoned: int = 0
    requests: int = 0
    retries: int = 0


@dataclass(frozen=True, slots=True)
class _Request:
    first: int
    count: int
    text: memoryview
    body: bytes | memoryview  # as it goes over the wire: made once, so that a retry is the same


class HttpSender:
    """Sends chunks over a few connections that stay open.

    `on_answer` is called for every answered request, one at a time, from the sending threads.
    `patience` is how many seconds a request is tried again before `UnavailableError`. Setting
    `stop` ends `send` after the requests under way; trouble sets it too, so that a source that
    waits on it does not wait on.
    """

    def __init__(
        self,
        url: str,
        *,
        key: str | None = None,
        batch: int = 500,
        connections: int = 2,
        compress: bool = True,
        timeout: float = 30.0,
        patience: float = 60.0,
        on_answer: Callable[[Answer], None] | None = None,
        stop: threading.Event | None = None,
    ) -> None:
        if batch < 1 or connections < 1:
            raise UsageError(
                f"batch is {batch}, connections is {connections}", hint="Give at least 1 of each."
            )
        self._url = _endpoint(url)
        self._batch, self._connections, self._compress = batch, connections, compress
        self._timeout, self._patience = timeout, patience
        self._on_answer = on_answer
        self.stop = stop or threading.Event()
        self._headers = {"Content-Type": "application/x-ndjson", "User-Agent": "tidelake-generate"}
        if compress:
            self._headers["Content-Encoding"] = "gzip"
        if key:
            self._headers["Authorization"] = f"Bearer {key}"
        self._lock = threading.Lock()
        self._report = SendReport()
        self._trouble: BaseException | None = None

    def send(
        self, chunks: Iterable[Chunk], *, rate: float | None = None, clock: Clock | None = None
    ) -> SendReport:
        """Sends everything and gives the report; `rate` in records a second needs a `clock`.

        Ctrl-C ends it like `stop`. Raises `UnavailableError` when patience ran out, `SetupError`
        when the address or the key is wrong; records not answered by then are lost to the stream.
        """
        self._report = SendReport()
        self._trouble = None
        waiting: queue.Queue[_Request | None] = queue.Queue(self._connections)
        threads = [
            threading.Thread(target=self._work, args=(waiting,), name=f"send-{i}", daemon=True)
            for i in range(self._connections)
        ]
        for thread in threads:
            thread.start()
        try:
            self._feed(chunks, waiting, rate, clock)
        except KeyboardInterrupt:
            self.stop.set()
        finally:
            self._finish(threads, waiting)
        if self._trouble is not None:
            raise self._trouble
        return self._report

    def report(self) -> SendReport:
        """The report so far, also while `send` runs and after it failed."""
        return self._report

    def _feed(
        self,
        chunks: Iterable[Chunk],
        waiting: queue.Queue[_Request | None],
        rate: float | None,
        clock: Clock | None,
    ) -> None:
        first = 0
        begin = clock.now() if clock else 0.0
        for chunk in chunks:
            for start in range(0, len(chunk), self._batch):
                stop = min(start + self._batch, len(chunk))
                request = self._request(first, stop - start, chunk.part(start, stop))
                if rate and clock:
                    clock.sleep(max(begin + first / rate - clock.now(), 0.0))
                if not self._hand_over(waiting, request):
                    return
                first += request.count
            if self.stop.is_set():
                return

    def _request(self, first: int, count: int, text: memoryview) -> _Request:
        body = zlib.compress(text, 1, wbits=31) if self._compress else text
        return _Request(first, count, text, body)

    def _hand_over(self, waiting: queue.Queue[_Request | None], request: _Request) -> bool:
        """Waits for a free connection; false when sending has been stopped."""
        while not self.stop.is_set():
            try:
                waiting.put(request, timeout=0.1)
            except queue.Full:
                continue
            return True
        return False

    def _finish(
        self, threads: list[threading.Thread], waiting: queue.Queue[_Request | None]
    ) -> None:
        for _ in threads:
            waiting.put(None)
        for thread in threads:
            thread.join()

    def _work(self, waiting: queue.Queue[_Request | None]) -> None:
        connection = _connection(self._url, self._timeout)
        while (request := waiting.get()) is not None:
            try:
                # After a stop the queue is still emptied, so that nobody waits for a place in it.
                answer = None if self.stop.is_set() else self._deliver(connection, request)
            except BaseException as trouble:
                self._trouble = self._trouble or trouble
                self.stop.set()
                answer = None
            if answer is None:
                with self._lock:
                    self._report.abandoned += request.count
        connection.close()

    def _deliver(self, connection: http.client.HTTPConnection, request: _Request) -> Answer | None:
        """Tries until there is a final answer; none if stopped before."""
        pause, deadline = _FIRST_PAUSE, time.monotonic() + self._patience
        while True:
            with self._lock:
                self._report.requests += 1
            status, said, retry_after = self._try(connection, request)
            if status and status != _TOO_MANY and status < _SERVER_ERROR:
                return self._settle(request, status, said)
            if time.monotonic() >= deadline:
                raise UnavailableError(
                    f"{self._url.geturl()} did not take events for {self._patience:g} s: {said}",
                    hint="Is the collector running? `tidelake up` starts it.",
                )
            if self.stop.wait(pause if retry_after is None else retry_after):
                return None
            pause = min(pause * 2, _LONGEST_PAUSE)
            with self._lock:
                self._report.retries += 1

    def _try(
        self, connection: http.client.HTTPConnection, request: _Request
    ) -> tuple[int, str, float | None]:
        """Status, what was said, and Retry-After in seconds; status 0 if there was no answer."""
        try:
            connection.request("POST", _target(self._url), request.body, self._headers)
            response = connection.getresponse()
            said = response.read().decode(errors="replace")
        except (OSError, http.client.HTTPException) as exc:
            connection.close()
            return 0, f"{type(exc).__name__}: {exc}", None
        return response.status, said, _seconds(response.headers.get("Retry-After"))

    def _settle(self, request: _Request, status: int, said: str) -> Answer:
        now = time.time()
        if status in _HOPELESS:
            raise SetupError(
                f"{self._url.geturl()} answered {status}: {said[:200]}",
                hint="Check the address and the key (--key) of the collector.",
            )
        answer = Answer(request.first, request.count, now, status, request.text)
        accepted = _accepted(said, request.count) if status == _OK else 0
        with self._lock:
            self._report.sent += request.count
            self._report.accepted += accepted
            self._report.refused += request.count - accepted
            if self._on_answer:
                self._on_answer(answer)
        return answer


def _endpoint(url: str) -> SplitResult:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError(
            f"{url!r} is not an HTTP address", hint="Give one like http://127.0.0.1:8080."
        )
    return parts._replace(path=EVENTS_PATH) if parts.path in ("", "/") else parts


def _target(url: SplitResult) -> str:
    return f"{url.path}?{url.query}" if url.query else url.path


def _connection(url: SplitResult, timeout: float) -> http.client.HTTPConnection:
    kind = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
    return kind(url.hostname or "", url.port, timeout=timeout)


def _seconds(retry_after: str | None) -> float | None:
    """Only the form in seconds: the other, a date, asks for two clocks that agree."""
    try:
        return max(float(retry_after), 0.0) if retry_after else None
    except ValueError:
        return None


def _accepted(said: str, count: int) -> int:
    """How many of `count` records the collector says it stored."""
    try:
        accepted = json.loads(said)["accepted"]
    except (ValueError, TypeError, KeyError) as exc:
        raise TidelakeError(
            f"the answer to {count} events was 200 but not a count: {said[:200]!r}",
            hint='A collector answers {"accepted": n}. Is something else at that address?',
        ) from exc
    return min(int(accepted), count)
