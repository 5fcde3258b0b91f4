"""CloudEvents over HTTP."""

from __future__ import annotations

import pytest
from tests.collect.running import Running

BINARY = {"ce_specversion": "1.0", "ce_type": "order.placed", "ce_source": "/shop", "ce_id": "7"}


@pytest.mark.parametrize("path", ["/v1/events", "/v1/cloudevents"])
def test_a_binary_event_is_its_data_and_its_headers(collector: Running, path: str) -> None:
    data = b"any \xff bytes"
    answer = collector.post(
        path,
        data,
        content_type="application/octet-stream",
        ce_subject="Euro%20%E2%82%AC%20%F0%9F%98%80",
        ce_note='"say \\"hi\\""',
        **BINARY,
    )
    assert answer.json() == {"accepted": 1}
    row = collector.rows()[0]
    assert (row["body"], row["format"]) == (data, "cloudevents")
    assert row["envelope"]["content_type"] == "application/octet-stream"
    assert row["envelope"]["ce"] == {
        "specversion": "1.0",
        "type": "order.placed",
        "source": "/shop",
        "id": "7",
        "subject": "Euro € \N{GRINNING FACE}",
        "note": 'say "hi"',
    }


def test_a_binary_event_may_have_no_data(collector: Running) -> None:
    assert collector.post("/v1/events", b"", **BINARY).json() == {"accepted": 1}
    assert collector.bodies() == [b""]


def test_a_structured_event_is_stored_as_it_is(collector: Running) -> None:
    event = b'{"specversion": "1.0", "id": "1"}'
    kind = "application/cloudevents+json; charset=UTF-8"
    assert collector.post("/v1/events", event, content_type=kind).json() == {"accepted": 1}
    row = collector.rows()[0]
    assert (row["body"], row["format"]) == (event, "cloudevents")
    assert "ce" not in row["envelope"]


def test_a_header_that_is_not_encoded_is_refused_and_not_lost(collector: Running) -> None:
    with collector.connection() as connection:
        head = b"POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n"
        connection.sendall(head + b"ce-specversion: 1.0\r\nce-subject: \xe2\x82\xac\r\n\r\n{}")
        assert b" 400 " in connection.recv(4096)
    assert collector.bodies() == []


def test_a_batch_is_cut(collector: Running) -> None:
    kind = "application/cloudevents-batch+json"
    answer = collector.post("/v1/events", b'[{"id":"1"}, {"id":"2"}]', content_type=kind)
    assert answer.json() == {"accepted": 2}
    assert collector.post("/v1/events", b"[]", content_type=kind).json() == {"accepted": 0}
    assert collector.bodies() == [b'{"id":"1"}', b'{"id":"2"}']


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"{}", {"ce_specversion": "1.0", "ce_subject": "%ff"}, 400),
        (b"", {"content_type": "application/cloudevents+json"}, 400),
        (b"<a/>", {"content_type": "application/cloudevents+xml"}, 415),
        (b'[{"id":1}', {"content_type": "application/cloudevents-batch+json"}, 400),
        (b"x" * 40_000, BINARY, 413),
    ],
)
def test_what_is_no_cloudevent_is_refused(
    collector: Running, body: bytes, headers: dict[str, str], status: int
) -> None:
    assert collector.post("/v1/events", body, **headers).status_code == status
    assert collector.bodies() == []
