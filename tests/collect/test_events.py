"""POST /v1/events, and what every route has in common."""

from __future__ import annotations

import gzip
import json
import re
import socket
from typing import Any

import pytest
import zstandard
from tests.collect.running import Running

from tidelake import metrics

NDJSON = "application/x-ndjson"
JSON = "application/json"


def test_a_lone_object_is_stored_byte_for_byte(collector: Running) -> None:
    body = b' {"event_id" : "1",\n "a": 1.0}\n '
    answer = collector.post("/v1/events", body, content_type=JSON, user_agent="Mozilla/5.0 (X)")
    assert (answer.status_code, answer.json()) == (200, {"accepted": 1})
    row = collector.rows()[0]
    assert (row["body"], row["format"], row["source"]) == (body, "native", "api")
    assert row["envelope"] == {"path": "/v1/events", "ip": "127.0.0.1", "ua": "Mozilla/5.0 (X)"}


@pytest.mark.parametrize(
    ("body", "media_type", "records"),
    [
        (b'[{"a":1},{"b":2}]', JSON, [b'{"a":1}', b'{"b":2}']),
        (b'{"a":1}\n\n{"b":2}\n', NDJSON, [b'{"a":1}', b'{"b":2}']),
        (b'{"a":1}\n{"b":2}', "application/x-www-form-urlencoded", [b'{"a":1}', b'{"b":2}']),
        (b'{"a":1}\nnonsense\n\xff\xfe\n', NDJSON, [b'{"a":1}', b"nonsense", b"\xff\xfe"]),
        (b"[]", JSON, []),
        (b'{"a":', JSON, [b'{"a":']),
        (b"\xef\xbb\xbf{}", JSON, [b"{}"]),
    ],
)
def test_whatever_can_be_cut_is_stored_and_judged_later(
    collector: Running, body: bytes, media_type: str, records: list[bytes]
) -> None:
    answer = collector.post("/v1/events", body, content_type=media_type)
    assert (answer.status_code, answer.json()) == (200, {"accepted": len(records)})
    assert collector.bodies() == records


@pytest.mark.parametrize(
    ("encoding", "encode"),
    [("gzip", gzip.compress), ("zstd", zstandard.compress), ("identity", bytes)],
)
def test_bodies_may_be_compressed(collector: Running, encoding: str, encode: Any) -> None:
    lines = [b'{"n":%d}' % n for n in range(20_000)]  # large enough for the helping thread
    answer = collector.post(
        "/v1/events", encode(b"\n".join(lines)), content_type=NDJSON, content_encoding=encoding
    )
    assert answer.json() == {"accepted": len(lines)}
    assert collector.bodies() == lines


@pytest.mark.parametrize(
    ("body", "headers", "status", "code"),
    [
        (b"", {}, 400, "empty_body"),
        (b" \n\n", {"content_type": NDJSON}, 400, "empty_body"),
        (b'[{"a":1}', {}, 400, "not_json"),
        (b"{}", {"content_encoding": "gzip"}, 400, "bad_encoding"),
        (gzip.compress(b"{}" * 99)[:-9], {"content_encoding": "gzip"}, 400, "bad_encoding"),
        (b"{}", {"content_encoding": "br"}, 415, "unsupported_encoding"),
        (gzip.compress(bytes(50_000_000), 1), {"content_encoding": "gzip"}, 413, "too_large"),
        (b" " * 11_000_000, {}, 413, "too_large"),
        (b'{"a":"%s"}' % (b"x" * 40_000), {"content_type": JSON}, 413, "too_large"),
        (b"1\n" * 100_001, {"content_type": NDJSON}, 413, "too_many_records"),
    ],
)
def test_what_can_not_be_taken_is_refused_with_a_sentence(
    collector: Running, body: bytes, headers: dict[str, str], status: int, code: str
) -> None:
    answer = collector.post("/v1/events", body, **headers)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (status, code)
    assert error["message"]
    assert error["hint"]
    assert collector.bodies() == []


def test_a_large_event_in_a_batch_is_left_to_be_rejected(collector: Running) -> None:
    large = b'{"a":"%s"}' % (b"x" * 40_000)
    answer = collector.post("/v1/events", large + b"\n{}", content_type=NDJSON)
    assert answer.json() == {"accepted": 2}
    assert collector.bodies() == [large, b"{}"]


def test_a_body_without_a_length_is_taken_and_bounded(collector: Running) -> None:
    taken = collector.http.post("/v1/events", content=iter([b'{"a":', b"1}"]))
    assert taken.json() == {"accepted": 1}
    assert collector.bodies() == [b'{"a":1}']
    refused = collector.http.post("/v1/events", content=iter([b" " * 1_000_000] * 12))
    assert refused.status_code == 413


@pytest.mark.parametrize("length", [b"Content-Length: 100", b"Transfer-Encoding: chunked"])
@pytest.mark.parametrize("how", ["closed", "shut down"])
def test_half_a_request_is_never_stored(collector: Running, length: bytes, how: str) -> None:
    with collector.connection() as half:
        body = b'10\r\n{"event_id":"1"}\r\n' if b"chunked" in length else b'{"event_id":"1"}'
        half.sendall(b"POST /v1/events HTTP/1.1\r\nHost: x\r\n" + length + b"\r\n\r\n" + body)
        if how == "shut down":
            half.shutdown(socket.SHUT_WR)
            assert half.recv(200).startswith(b"HTTP/1.1 400")
    whole = collector.post("/v1/events", b'{"event_id":"2"}')
    assert whole.status_code == 200
    assert collector.bodies() == [b'{"event_id":"2"}']


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/events", 405),
        ("HEAD", "/v1/events", 405),
        ("DELETE", "/v1/batch", 405),
        ("POST", "/healthz", 405),
        ("GET", "/", 404),
        ("HEAD", "/nothing", 404),
        ("POST", "/v1/events/", 404),
        ("GET", "/%00%ff", 404),
    ],
)
def test_wrong_routes_and_methods_are_answered_in_json(
    collector: Running, method: str, path: str, status: int
) -> None:
    answer = collector.http.request(method, path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/json"
    if status == 405:
        assert answer.headers["allow"]
    if method != "HEAD":
        assert set(answer.json()["error"]) == {"code", "message", "hint"}


def test_validate_says_what_would_become_of_events_and_stores_nothing(collector: Running) -> None:
    good = {
        "event_id": "1",
        "event_type": "click",
        "user_id": "u",
        "timestamp": "2026-11-23T10:15:00Z",
    }
    body = json.dumps([good, {**good, "user_id": None}, 7, {**good, "timestamp": "tomorrow"}])
    answer = collector.post("/v1/validate", body, content_type=JSON).json()
    assert (answer["accepted"], answer["rejected"]) == (1, 3)
    verdicts = answer["verdicts"]
    assert verdicts[0]["event_type"] == "click"
    assert len(verdicts[0]["event_key"]) == 32
    reasons = [verdict["reason"] for verdict in verdicts[1:]]
    assert reasons == ["missing_field", "not_an_object", "bad_timestamp"]
    assert collector.bodies() == []


def test_validate_judges_the_format_that_is_asked_for(collector: Running) -> None:
    track = {"type": "track", "event": "Product Viewed", "userId": "u", "messageId": "m"}
    track["timestamp"] = "2026-11-23T10:15:00Z"
    asked = "/v1/validate?format=segment"
    alone = collector.post(asked, json.dumps(track)).json()
    assert [verdict["accepted"] for verdict in alone["verdicts"]] == [True]
    batch = collector.post(asked, json.dumps({"batch": [track, {**track, "type": "?"}]})).json()
    assert (batch["accepted"], batch["verdicts"][1]["reason"]) == (1, "unknown_message")
    binary = collector.post("/v1/validate?format=cloudevents", b"{}", ce_specversion="1.0")
    assert binary.json()["rejected"] == 1
    wrong = collector.post("/v1/validate?format=xml", b"{}")
    assert (wrong.status_code, wrong.json()["error"]["code"]) == (400, "unknown_format")
    assert collector.bodies() == []


def test_every_metric_that_has_a_name_is_told(collector: Running) -> None:
    told = collector.http.get("/metrics").text
    named = [m.name for m in vars(metrics).values() if isinstance(m, metrics.Metric)]
    assert len(named) == 7
    for name in named:
        assert f"# TYPE {name} " in told or f"# TYPE {name.removesuffix('_total')} " in told


def test_health_readiness_and_metrics_are_told(collector: Running) -> None:
    collector.post("/v1/events", b"{}\n{}", content_type=NDJSON)
    assert collector.http.get("/healthz").json() == {"alive": True}
    assert collector.http.get("/readyz").json() == {"ready": True, "trouble": []}
    told = collector.http.get("/metrics").text
    assert 'tidelake_collect_requests_total{route="/v1/events",status="200"}' in told
    assert 'tidelake_collect_records_total{format="native",project=""}' in told
    assert "tidelake_collect_request_seconds_bucket" in told
    assert float(re.findall(r"^tidelake_inbox_frames_total (.*)$", told, re.M)[0]) > 0
    assert float(re.findall(r"^tidelake_inbox_backlog_bytes (.*)$", told, re.M)[0]) > 0


def test_the_docs_page_needs_no_network(collector: Running) -> None:
    page = collector.http.get("/docs")
    assert page.headers["content-type"].startswith("text/html")
    assert "/v1/events" in page.text
    assert "src=" not in page.text
    assert "http" not in page.text.replace("HTTP", "")
