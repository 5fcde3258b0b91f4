"""Segment's HTTP API as its SDKs speak it."""

from __future__ import annotations

import json

import pytest
from tests.collect.running import Running

ROUTES = {
    "track": ["track", "t"],
    "identify": ["identify", "i"],
    "page": ["page", "p"],
    "screen": ["screen", "s"],
    "group": ["group", "g"],
    "alias": ["alias", "a"],
}


@pytest.mark.parametrize("call", ROUTES)
def test_a_message_is_stored_with_its_call(collector: Running, call: str) -> None:
    body = b'{"messageId": "m1", "userId": "u"}'
    for name in ROUTES[call]:
        answer = collector.post(f"/v1/{name}", body, content_type="application/json")
        assert (answer.status_code, answer.json()) == (200, {"success": True})
    rows = collector.rows()
    assert [row["body"] for row in rows] == [body, body]
    assert {row["format"] for row in rows} == {"segment"}
    for row in rows:
        assert row["envelope"]["type"] == call
        assert row["envelope"]["path"] == f"/v1/{call}"


@pytest.mark.parametrize("path", ["/v1/batch", "/v1/b", "/v1/import"])
def test_a_batch_is_cut_and_what_it_shares_is_in_the_envelope(
    collector: Running, path: str
) -> None:
    body = (
        b'{"batch": [{"type":"track", "event":"A"}, {"type":"page"}],'
        b' "context": {"ip": "1.2.3.4", "n": 1.0}, "integrations": {"All": true},'
        b' "sentAt": "2026-11-23T10:15:00Z", "writeKey": "secret"}'
    )
    assert collector.post(path, body).json() == {"success": True}
    rows = collector.rows()
    assert [row["body"] for row in rows] == [
        b'{"type":"track", "event":"A"}',
        b'{"type":"page"}',
    ]
    shared = rows[0]["envelope"]
    assert rows[1]["envelope"] == shared
    assert shared["context"] == {"ip": "1.2.3.4", "n": 1.0}
    assert shared["integrations"] == {"All": True}
    assert shared["sentAt"] == "2026-11-23T10:15:00Z"
    assert "secret" not in json.dumps(shared)


def test_a_beacon_sends_text_and_is_taken(collector: Running) -> None:
    answer = collector.post("/v1/t", b'{"event":"x"}', content_type="text/plain;charset=UTF-8")
    assert answer.json() == {"success": True}


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        (b'{"writeKey":"secret","a":1}', b'{"writeKey":null,"a":1}'),
        (b'{"a":1, "writeKey" : "se\\"cret"}', b'{"a":1, "writeKey" : null}'),
        (b'{"write\\u004bey":"secret"}', b'{"write\\u004bey":null}'),
        (b'{"writeKey":"secret","writeKey":"secret"}', b'{"writeKey":null,"writeKey":null}'),
        (b'{"a":"say \\"writeKey\\":\\"x\\""}', b'{"a":"say \\"writeKey\\":\\"x\\""}'),
        (b'{"a":{"writeKey":"secret"}}', b'{"a":{"writeKey":null}}'),
    ],
)
def test_a_write_key_is_never_stored(collector: Running, sent: bytes, kept: bytes) -> None:
    assert collector.post("/v1/track", sent).status_code == 200
    batch = b'{"batch":[%b],"context":{"writeKey":"secret"}}' % sent
    assert collector.post("/v1/batch", batch).status_code == 200
    rows = collector.rows()
    assert [row["body"] for row in rows] == [kept, kept]
    assert "secret" not in json.dumps(rows[1]["envelope"])


def test_text_cut_between_surrogates_and_other_oddities_cost_nothing(collector: Running) -> None:
    """JavaScript's `slice` leaves half an emoji behind, which JSON.stringify writes as \\ud83d."""
    half = b'{"event":"\\ud83d"}'
    assert collector.post("/v1/track", half).status_code == 200
    batch = b'{"batch":[%b,{"a":NaN},{"b":1}],"context":{"t":"\\ud83d"}}' % half
    assert collector.post("/v1/batch", batch).status_code == 200
    rows = collector.rows()
    assert [row["body"] for row in rows] == [half, half, b'{"a":NaN}', b'{"b":1}']
    assert rows[1]["envelope"]["context"] == {"t": "\ud83d"}


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("/v1/track", b'{"event":', "not_json"),
        ("/v1/track", b"", "not_json"),
        ("/v1/track", b"[1]", "wrong_shape"),
        ("/v1/batch", b"[]", "wrong_shape"),
        ("/v1/track", b'{"a":"%s"}' % (b"x" * 40_000), "too_large"),
        ("/v1/batch", b'{"batch":[{"a":1}', "not_json"),
        ("/v1/batch", b'{"batch":{}}', "wrong_shape"),
        ("/v1/batch", b"{}", "no_batch"),
        ("/v1/batch", b'{"batch":[%s]}' % (b" " * 600_000), "too_large"),
    ],
)
def test_refusals_are_400_as_at_segment(
    collector: Running, path: str, body: bytes, code: str
) -> None:
    answer = collector.post(path, body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)
    assert collector.bodies() == []


def test_a_large_message_in_a_batch_does_not_cost_its_neighbours(collector: Running) -> None:
    large = b'{"a":"%s"}' % (b"x" * 40_000)
    answer = collector.post("/v1/batch", b'{"batch":[%b,{"b":1}]}' % large)
    assert answer.json() == {"success": True}
    assert collector.bodies() == [large, b'{"b":1}']


@pytest.mark.parametrize("prefix", ["", "/v1"])
def test_the_browser_sdk_gets_its_settings(collector: Running, prefix: str) -> None:
    answer = collector.http.get(f"{prefix}/projects/KEY/settings", headers={"origin": "https://a"})
    assert answer.status_code == 200
    assert "Segment.io" in answer.json()["integrations"]
    assert answer.headers["access-control-allow-origin"] == "https://a"
    assert collector.post(f"{prefix}/m", b'{"series":[]}').status_code == 200


def test_a_byte_order_mark_is_no_part_of_a_message(collector: Running) -> None:
    message = b'{"event":"x"}'
    for path, body in (("/v1/track", message), ("/v1/batch", b'{"batch":[%b]}' % message)):
        assert collector.post(path, b"\xef\xbb\xbf" + body).json() == {"success": True}
    assert collector.bodies() == [message, message]
