"""The sender against a real HTTP server that behaves as collectors do, and as networks do."""

from __future__ import annotations

import gzip
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from tests.generate.fortnight import FORTNIGHT, lines_of

from tidelake.errors import SetupError, TidelakeError, UnavailableError, UsageError
from tidelake.generate import Chunk, generate
from tidelake.generate.http_sender import Answer, HttpSender, SendReport

SMALL = replace(FORTNIGHT, count=2000, users=500)


@dataclass
class Received:
    path: str
    headers: dict[str, str]
    raw: bytes
    connection: tuple[str, int]

    @property
    def text(self) -> bytes:
        packed = self.headers.get("Content-Encoding") == "gzip"
        return gzip.decompress(self.raw) if packed else self.raw


@dataclass
class Collector:
    """Answers 200 unless `answer` says otherwise for the n-th request (from 0)."""

    url: str = ""
    received: list[Received] = field(default_factory=list)
    answer: Callable[[int], Any] = lambda number: None

    @property
    def lines(self) -> list[bytes]:
        return [line for request in self.received for line in request.text.splitlines()]


def _handler(collector: Collector, lock: threading.Lock) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["Content-Length"]))
            request = Received(self.path, dict(self.headers), raw, self.client_address)
            with lock:
                number = len(collector.received)
                collector.received.append(request)
            wanted = collector.answer(number)
            if wanted == "drop":
                self.connection.shutdown(socket.SHUT_RDWR)
                self.close_connection = True
                return
            accepted = {"accepted": request.text.count(b"\n")}
            status, body, headers = wanted or (200, accepted, {})
            said = json.dumps(body).encode()
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(said))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing: requests are in `received`."""

    return Handler


@contextmanager
def _serving() -> Iterator[Collector]:
    collector = Collector()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(collector, threading.Lock()))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    collector.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield collector
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def collector() -> Iterator[Collector]:
    with _serving() as serving:
        yield serving


def _refusing(*statuses: int, after: str | None = None) -> Callable[[int], Any]:
    """Answers with these statuses first."""
    headers = {} if after is None else {"Retry-After": after}

    def answer(number: int) -> Any:
        said = {"error": {"message": "not now"}}
        return (statuses[number], said, headers) if number < len(statuses) else None

    return answer


def test_every_line_arrives_once_in_batches_as_gzipped_ndjson(collector: Collector) -> None:
    report = HttpSender(collector.url, batch=300, key="k1").send(generate(SMALL))

    assert report == SendReport(sent=2000, accepted=2000, requests=7)
    assert sorted(collector.lines) == sorted(lines_of(SMALL))
    for request in collector.received:
        assert request.path == "/v1/events"
        assert request.headers["Content-Type"] == "application/x-ndjson"
        assert request.headers["Content-Encoding"] == "gzip"
        assert request.headers["Authorization"] == "Bearer k1"
        assert request.text.endswith(b"\n")
        assert request.text.count(b"\n") <= 300


def test_without_compression_and_key_the_lines_go_as_they_are(collector: Collector) -> None:
    HttpSender(f"{collector.url}/other?a=1", compress=False).send(generate(SMALL))

    request = collector.received[0]
    assert request.path == "/other?a=1"
    assert not {"Content-Encoding", "Authorization"} & set(request.headers)
    assert json.loads(request.raw.splitlines()[0])["event_id"]


def test_connections_stay_open(collector: Collector) -> None:
    HttpSender(collector.url, batch=20, connections=2).send(generate(SMALL))

    assert len(collector.received) == 100
    assert len({request.connection for request in collector.received}) == 2


def test_a_503_is_sent_again_with_the_same_bytes(collector: Collector) -> None:
    collector.answer = _refusing(503, 503, after="0")

    report = HttpSender(collector.url, connections=1).send(generate(SMALL))

    first, second, third, *rest = collector.received
    assert first.raw == second.raw == third.raw
    assert len(rest) == 3
    assert report == SendReport(sent=2000, accepted=2000, requests=6, retries=2)


def test_a_429_waits_as_long_as_it_is_told(collector: Collector) -> None:
    collector.answer = _refusing(429, after="0.3")
    begin = time.monotonic()

    report = HttpSender(collector.url, connections=1).send(generate(SMALL))

    assert time.monotonic() - begin >= 0.3
    assert (report.accepted, report.retries) == (2000, 1)


def test_a_dropped_connection_is_opened_again_and_the_request_repeated(
    collector: Collector,
) -> None:
    collector.answer = lambda number: "drop" if number in (1, 2) else None

    report = HttpSender(collector.url, connections=1).send(generate(SMALL))

    assert report == SendReport(sent=2000, accepted=2000, requests=6, retries=2)
    assert collector.received[1].raw == collector.received[2].raw == collector.received[3].raw


def test_a_collector_that_starts_late_gets_everything() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    collector, reports = Collector(), []
    sender = HttpSender(f"http://127.0.0.1:{port}", connections=1)
    sending = threading.Thread(target=lambda: reports.append(sender.send(generate(SMALL))))
    sending.start()
    while sender.report().retries < 2:
        sending.join(0.01)
    server = ThreadingHTTPServer(("127.0.0.1", port), _handler(collector, threading.Lock()))
    server.daemon_threads = True
    serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    serving.start()
    sending.join()
    server.shutdown()
    serving.join()
    server.server_close()

    assert reports[0].accepted == 2000
    assert reports[0].retries >= 2


@pytest.mark.parametrize("status", [400, 413, 422])
def test_what_is_refused_is_counted_and_not_sent_again(collector: Collector, status: int) -> None:
    collector.answer = _refusing(status)

    report = HttpSender(collector.url, connections=1).send(generate(SMALL))

    assert report == SendReport(sent=2000, accepted=1500, refused=500, requests=4)


def test_records_that_a_collector_did_not_count_were_refused(collector: Collector) -> None:
    collector.answer = lambda number: (200, {"accepted": 490}, {}) if number == 0 else None

    report = HttpSender(collector.url, connections=1).send(generate(SMALL))

    assert (report.sent, report.accepted, report.refused) == (2000, 1990, 10)


@pytest.mark.parametrize("status", [401, 403, 404, 301])
def test_a_wrong_key_or_address_stops_loudly(collector: Collector, status: int) -> None:
    collector.answer = lambda number: (status, {"error": {"message": "no"}}, {})
    sender = HttpSender(collector.url, connections=1)

    with pytest.raises(SetupError, match=rf"{status}[\s\S]*key"):
        sender.send(generate(SMALL))

    assert sender.report().sent == 0


def test_something_else_at_the_address_is_an_error(collector: Collector) -> None:
    collector.answer = lambda number: (200, "hello", {})

    with pytest.raises(TidelakeError, match="not a count"):
        HttpSender(collector.url).send(generate(SMALL))


def test_patience_ends_with_what_was_said_last(collector: Collector) -> None:
    collector.answer = lambda number: (503, {"error": {"message": "disk full"}}, {})
    sender = HttpSender(collector.url, connections=1, patience=0.3)

    with pytest.raises(UnavailableError, match="disk full"):
        sender.send(generate(SMALL))

    assert sender.report().accepted == 0
    assert sender.report().abandoned >= 500


def test_answers_are_handed_over_with_their_records_and_times(collector: Collector) -> None:
    collector.answer = _refusing(400)
    answers: list[Answer] = []
    begin = time.time()

    HttpSender(collector.url, batch=300, on_answer=answers.append).send(generate(SMALL))

    answers.sort(key=lambda answer: answer.first)
    assert [(a.first, a.count) for a in answers] == [
        (i, min(300, 2000 - i)) for i in range(0, 2000, 300)
    ]
    assert sorted(a.status for a in answers) == [200] * 6 + [400]
    assert all(begin <= a.answered_at <= time.time() for a in answers)
    assert [record for a in answers for record in a.records] == lines_of(SMALL)


def test_a_stop_ends_after_the_requests_under_way(collector: Collector) -> None:
    stop = threading.Event()
    sender = HttpSender(
        collector.url, batch=10, connections=1, stop=stop, on_answer=lambda answer: stop.set()
    )

    report = sender.send(generate(SMALL))

    assert report.sent == report.accepted == 10
    assert report.sent + report.abandoned < 2000


def test_ctrl_c_ends_like_a_stop_and_gives_the_report(collector: Collector) -> None:
    def interrupted() -> Iterator[Chunk]:
        yield from generate(SMALL)
        raise KeyboardInterrupt

    report = HttpSender(collector.url).send(interrupted())

    assert report.sent + report.abandoned == 2000
    assert report.sent == report.accepted


def test_trouble_in_the_caller_s_own_callback_is_not_hidden(collector: Collector) -> None:
    def failing(answer: Answer) -> None:
        raise OSError("the answer log is full")

    with pytest.raises(OSError, match="answer log"):
        HttpSender(collector.url, on_answer=failing).send(generate(SMALL))


def test_sending_is_paced_to_the_rate(collector: Collector) -> None:
    class Recorded:
        """Time that passes only by sleeping."""

        time = 0.0

        def now(self) -> float:
            return self.time

        def sleep(self, seconds: float) -> None:
            self.time += seconds

    clock = Recorded()
    HttpSender(collector.url, batch=100).send(generate(SMALL), rate=500, clock=clock)

    assert clock.now() == pytest.approx((2000 - 100) / 500)


@pytest.mark.parametrize("url", ["127.0.0.1:80", "ftp://a/", "http://"])
def test_an_address_that_is_none_is_an_error(url: str) -> None:
    with pytest.raises(UsageError, match="HTTP address"):
        HttpSender(url)
