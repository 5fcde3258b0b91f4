"""Slow clients, full inboxes, kills and stops: what is answered 2xx is durable, and only that."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import psutil
import pytest
from tests.collect.running import Running, Start, stored

ANNOUNCED = b"POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Length: 960000\r\n\r\n"
HEAD = b"POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Length: 18\r\n\r\n"
BODY = b'{"event_id":"abc"}'


def answer_of(connection: socket.socket) -> bytes:
    """Everything until the server closes or says no more."""
    received = b""
    while b"\r\n\r\n" not in received and (more := connection.recv(4096)):
        received += more
    return received


def test_a_slow_client_is_answered_408_and_nothing_of_it_is_stored(start: Start) -> None:
    collector = start(TIDELAKE_COLLECT_REQUEST_TIMEOUT_S="0.3")
    with collector.connection() as slow:
        slow.sendall(HEAD + BODY[:9])
        assert answer_of(slow).startswith(b"HTTP/1.1 408")
    with collector.connection() as silent:
        silent.sendall(b"POST /v1/events HT")
        assert answer_of(silent) in (b"",) or b"408" in answer_of(silent)
    assert collector.post("/v1/events", b"{}").status_code == 200
    assert collector.bodies() == [b"{}"]


def test_over_its_bound_the_inbox_is_refused_with_a_time_to_come_back(start: Start) -> None:
    collector = start(TIDELAKE_INBOX_MAX_BYTES="1000")
    accepted = collector.post("/v1/events", BODY + b" " * 2000)
    assert accepted.status_code == 200
    refused = _until(collector, 503)
    assert refused.json()["error"]["code"] == "overloaded"
    assert int(refused.headers["retry-after"]) >= 1
    ready = collector.http.get("/readyz")
    assert (ready.status_code, ready.json()["ready"]) == (503, False)
    assert "inbox.max_bytes" in ready.json()["trouble"][0]
    assert collector.http.get("/healthz").status_code == 200
    stored_now = len(collector.bodies())
    assert collector.post("/v1/batch", b'{"batch":[{}]}').status_code == 503
    assert len(collector.bodies()) == stored_now


def _until(collector: Running, status: int) -> httpx.Response:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        answer = collector.post("/v1/events", BODY)
        if answer.status_code == status:
            return answer
    raise AssertionError(f"never answered {status}")


def test_with_little_disk_left_nothing_is_accepted(start: Start) -> None:
    collector = start(TIDELAKE_INBOX_MIN_FREE_BYTES=str(1 << 60))
    answer = collector.post("/v1/events", BODY)
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "overloaded")
    assert int(answer.headers["retry-after"]) >= 1
    assert collector.bodies() == []


def test_requests_under_way_are_bounded_in_memory(start: Start) -> None:
    collector = start(TIDELAKE_COLLECT_MAX_HELD_BYTES="1000000")
    with collector.connection() as first:
        first.sendall(ANNOUNCED + b" " * 950_000)
        assert "collect.max_held_bytes" in _trouble(collector)
        refused = collector.post("/v1/events", b"{}" + b" " * 200_000)
        assert (refused.status_code, refused.json()["error"]["code"]) == (503, "overloaded")
        assert refused.headers["retry-after"] == "1"
    accepted = _until_accepted(collector, b" " * 200_000 + b"{}")
    assert accepted.status_code == 200


def test_silent_clients_hold_no_memory_that_others_need(start: Start) -> None:
    collector = start(TIDELAKE_COLLECT_MAX_HELD_BYTES="1000000")
    with collector.connection() as first, collector.connection() as second:
        first.sendall(ANNOUNCED + b"{")
        second.sendall(ANNOUNCED + b"{")
        _wait_for_request(collector)
        for _ in range(20):
            answer = collector.post(
                "/v1/events", b"{}" + b" " * 200_000, content_type="application/x-ndjson"
            )
            assert answer.status_code == 200
            assert collector.http.get("/readyz").json()["ready"] is True


def test_a_large_body_with_a_length_is_stored_whole_or_not_at_all(start: Start) -> None:
    collector = start()
    with collector.connection() as half:
        half.sendall(ANNOUNCED + b"\n" * 500_000 + b"{}")
        half.shutdown(socket.SHUT_WR)
        assert answer_of(half).startswith(b"HTTP/1.1 400")
    with collector.connection() as whole:
        whole.sendall(ANNOUNCED + b"{}" + b" " * 959_998)
        assert answer_of(whole).startswith(b"HTTP/1.1 413")  # a lone event of that size
    assert collector.bodies() == []


def _trouble(collector: Running) -> str:
    """What `/readyz` says once it says something."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        said = collector.http.get("/readyz").json()["trouble"]
        if said:
            return str(said[0])
    raise AssertionError("always ready")


def _until_accepted(collector: Running, body: bytes) -> httpx.Response:
    deadline = time.monotonic() + 20
    while True:
        answer = collector.post("/v1/events", body, content_type="application/x-ndjson")
        if answer.status_code == 200 or time.monotonic() > deadline:
            return answer


@pytest.mark.parametrize("crash_at", ["collect.before_answer", "inbox.after_write"])
def test_a_kill_before_the_answer_costs_no_acknowledged_record(start: Start, crash_at: str) -> None:
    """The client of the killed request has no answer: its records may be there, once or not."""
    collector = start(TIDELAKE_CRASH_AT=f"{crash_at}:4", TIDELAKE_TEST_DISK="volatile")
    acknowledged = []
    for number in range(10):
        body = b'{"event_id":"%d"}' % number
        try:
            answer = collector.post("/v1/events", body)
        except httpx.TransportError:
            break
        assert answer.status_code == 200
        acknowledged.append(body)
    assert len(acknowledged) == 3
    assert collector.process.wait(20) != 0
    again = start()
    assert again.post("/v1/events", b'{"event_id":"after"}').status_code == 200
    found = again.bodies()
    unanswered = b'{"event_id":"3"}'
    assert [body for body in found if body != unanswered] == [
        *acknowledged,
        b'{"event_id":"after"}',
    ]
    assert found.count(unanswered) == (1 if crash_at == "collect.before_answer" else 0)


def test_a_stop_answers_what_is_under_way(start: Start) -> None:
    collector = start()
    idle = collector.connection()
    idle.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
    answer_of(idle)  # kept alive: it must not hold up the stop
    with collector.connection() as busy:
        busy.sendall(HEAD + BODY[:9])
        _wait_for_request(collector)
        collector.process.send_signal(signal.SIGTERM)
        time_to_finish = threading.Timer(0.3, busy.sendall, [BODY[9:]])
        time_to_finish.start()
        assert answer_of(busy).startswith(b"HTTP/1.1 200")
        time_to_finish.join()
    idle.close()
    assert collector.process.wait(20) == 0
    assert [row["body"] for row in stored(collector.home)] == [BODY]
    assert not (collector.home / "run" / "collect" / "url").exists()
    assert "Traceback" not in collector.log.read_text()


def _wait_for_request(collector: Running) -> None:
    """Until the server holds the half request's connection, and so its request."""
    port = int(collector.url.rpartition(":")[2])
    workers = psutil.Process(collector.process.pid).children()
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        taken = [c for w in workers for c in w.net_connections() if c.laddr.port == port]
        if sum(c.status == psutil.CONN_ESTABLISHED for c in taken) >= 2:
            assert collector.http.get("/healthz").status_code == 200
            return
    raise AssertionError("the half request never arrived")


def test_a_killed_server_leaves_no_process_behind(start: Start) -> None:
    collector = start()
    workers = psutil.Process(collector.process.pid).children(recursive=True)
    collector.process.kill()
    collector.process.wait(20)
    _, alive = psutil.wait_procs(workers, timeout=20)
    assert alive == []


def collect(home: Path, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A collector that is expected to end by itself."""
    return subprocess.run(
        [sys.executable, "-m", "tidelake", "--home", str(home), "collect", *options],
        env={**os.environ, "TIDELAKE_COLLECT_PORT": "0", **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_taken_port_is_said_plainly(start: Start, tmp_path: Path) -> None:
    port = start().url.rpartition(":")[2]
    second = collect(tmp_path / "b", TIDELAKE_COLLECT_PORT=port)
    assert second.returncode == 3
    assert f"can not listen on 127.0.0.1:{port}" in second.stderr
    assert "TIDELAKE_COLLECT_PORT" in second.stderr
    assert "Traceback" not in second.stderr


def test_a_second_collector_leaves_the_first_ones_home_alone(start: Start) -> None:
    first = start()
    assert first.post("/v1/events", BODY).status_code == 200
    second = collect(first.home)
    assert second.returncode == 3
    assert f"a collector runs on {first.home} already" in second.stderr
    assert "Traceback" not in second.stderr
    folder = first.home / "run" / "collect"
    assert (folder / "url").read_text().strip() == first.url
    assert list(folder.glob("*.counts"))
    first.stop()
    assert start().post("/v1/events", BODY).status_code == 200


def test_an_inbox_that_lost_its_name_ends_the_collector_for_good(start: Start) -> None:
    first = start()
    assert first.post("/v1/events", BODY).status_code == 200
    first.stop()
    (first.home / "inbox" / "incarnation").unlink()
    again = collect(first.home)
    assert again.returncode == 3
    assert again.stderr.count("incarnation is gone") == 1
    assert "Traceback" not in again.stderr


@pytest.mark.parametrize(
    "options", [("--port", "99999"), ("--port", "-1"), ("--workers", "0"), ("--host", "a..b")]
)
def test_options_that_mean_nothing_are_said_plainly(
    options: tuple[str, str], tmp_path: Path
) -> None:
    ended = collect(tmp_path / "home", *options)
    assert ended.returncode == (3 if "--host" in options else 2)
    assert ended.stderr.startswith("error: ")
    assert options[1] in ended.stderr
    assert "Traceback" not in ended.stderr


def test_several_processes_have_a_lane_each_and_metrics_that_add_up(start: Start) -> None:
    collector = start(TIDELAKE_COLLECT_WORKERS="2")
    for _ in range(40):  # a connection each, so that both processes get some
        answer = httpx.post(f"{collector.url}/v1/events", content=BODY)
        assert answer.status_code == 200
    assert collector.bodies() == [BODY] * 40
    lanes = [p for p in (collector.home / "inbox" / "lanes").iterdir() if p.is_dir()]
    assert len(lanes) == 2
    wanted = 'tidelake_collect_records_total{format="native",project=""} 40.0'
    deadline = time.monotonic() + 20
    while wanted not in collector.http.get("/metrics").text:
        assert time.monotonic() < deadline
