"""Write keys, origins, rates, and whose address is believed."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator

import pytest
from tests.collect.running import Running, start_collector, stored

from tidelake.collect.client_address import client_ip
from tidelake.collect.exchange import Request
from tidelake.collect.keys import Bucket


def hashed(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


SETTINGS = f"""
[collect]
trusted_proxies = 1

[collect.keys.shop]
sha256 = "{hashed("shop-key")}"
origins = ["https://shop.example"]

[collect.keys.slow]
sha256 = "{hashed("slow-key")}"
requests_per_s = 0.001
"""


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    collector = start_collector(tmp_path_factory.mktemp("keys") / "home", SETTINGS)
    yield collector
    assert collector.stop() == 0


def basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize("value", [basic("shop-key:"), basic("shop-key"), "Bearer shop-key"])
def test_a_key_in_the_header_names_the_project(collector: Running, value: str) -> None:
    assert collector.post("/v1/events", b"{}", authorization=value).status_code == 200
    assert [row["envelope"]["project"] for row in collector.rows()] == ["shop"]


def test_segments_key_may_be_in_the_body(collector: Running) -> None:
    track = collector.post("/v1/track", b'{"writeKey":"shop-key","event":"x"}')
    batch = collector.post("/v1/batch", b'{"batch":[{}],"writeKey":"shop-key"}')
    oauth = collector.post(
        "/v1/batch",
        b'{"batch":[{}],"writeKey":"shop-key"}',
        authorization="Bearer some.oauth.token",
    )
    assert [track.status_code, batch.status_code, oauth.status_code] == [200, 200, 200]
    assert [row["envelope"]["project"] for row in collector.rows()] == ["shop"] * 3


@pytest.mark.parametrize(
    ("path", "body", "authorization", "code"),
    [
        ("/v1/events", b"{}", "", "no_key"),
        ("/v1/events", b"{}", "Bearer other", "wrong_key"),
        ("/v1/events", b"{}", "Basic !!!", "no_key"),
        ("/v1/events", b"{}", "Basic " + base64.b64encode(b"\xff:").decode(), "no_key"),
        ("/v1/events", b'{"writeKey":"shop-key"}', "", "no_key"),
        ("/v1/track", b'{"writeKey":"other"}', "", "wrong_key"),
        ("/v1/track", b'{"writeKey":7}', "", "no_key"),
        ("/v1/validate", b"{}", "", "no_key"),
    ],
)
def test_without_a_known_key_nothing_is_stored(
    collector: Running, path: str, body: bytes, authorization: str, code: str
) -> None:
    headers = {"authorization": authorization} if authorization else {}
    answer = collector.post(path, body, **headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, code)
    assert collector.bodies() == []


def test_no_key_is_found_on_the_disk(collector: Running) -> None:
    collector.post("/v1/track", b'{"writeKey":"shop-key","event":"kept"}')
    collector.post("/v1/events", b"{}", authorization="Bearer shop-key")
    held = b"".join(p.read_bytes() for p in collector.home.rglob("*") if p.is_file())
    assert b"kept" in held
    assert b"shop-key" not in held


def test_pages_of_other_origins_may_not_send(collector: Running) -> None:
    key = {"authorization": "Bearer shop-key"}
    ours = collector.post("/v1/events", b"{}", origin="https://shop.example", **key)
    assert ours.headers["access-control-allow-origin"] == "https://shop.example"
    assert "origin" in ours.headers["vary"]
    other = collector.post("/v1/events", b"{}", origin="https://evil.example", **key)
    assert (other.status_code, other.json()["error"]["code"]) == (403, "origin_not_allowed")
    assert len(collector.bodies()) == 1


def test_a_preflight_is_answered_for_every_route(collector: Running) -> None:
    asking = {"origin": "https://shop.example", "access-control-request-method": "POST"}
    for path in ("/v1/events", "/v1/t", "/v1/batch"):
        answer = collector.http.options(path, headers=asking)
        assert answer.status_code == 204
        assert answer.headers["access-control-allow-origin"] == "https://shop.example"
        assert "authorization" in answer.headers["access-control-allow-headers"]


def test_pages_may_send_cloudevents_headers_and_read_when_to_come_again(
    collector: Running,
) -> None:
    asking = {
        "origin": "https://shop.example",
        "access-control-request-headers": "Ce-Id, ce-specversion,x-other",
    }
    answer = collector.http.options("/v1/events", headers=asking)
    allowed = answer.headers["access-control-allow-headers"].split(", ")
    assert allowed[-2:] == ["ce-id", "ce-specversion"]
    assert "x-other" not in allowed
    assert "retry-after" in answer.headers["access-control-expose-headers"]


def test_over_its_rate_a_key_is_told_when_to_come_back(collector: Running) -> None:
    key = {"authorization": "Bearer slow-key"}
    assert collector.post("/v1/batch", b'{"batch":[{}]}', **key).status_code == 200
    limited = collector.post("/v1/batch", b'{"batch":[{}]}', **key)
    assert (limited.status_code, limited.json()["error"]["code"]) == (429, "rate_limited")
    assert int(limited.headers["retry-after"]) > 1
    assert limited.headers["x-ratelimit-reset"] == limited.headers["retry-after"]
    assert len(collector.bodies()) == 1


def test_the_address_is_what_the_trusted_proxy_saw(collector: Running) -> None:
    forwarded = "6.6.6.6, 203.0.113.9"
    collector.post("/v1/events", b"{}", authorization="Bearer shop-key", x_forwarded_for=forwarded)
    assert stored(collector.home)[-1]["envelope"].find(b'"ip":"203.0.113.9"') > 0


def test_a_bucket_fills_with_time_and_holds_a_second() -> None:
    bucket = Bucket(per_s=2, tokens=2)
    assert [bucket.take(0.0) for _ in range(3)] == [0, 0, 0.5]
    assert bucket.take(0.5) == 0
    assert [bucket.take(100.0) for _ in range(3)] == [0, 0, 0.5]


def test_a_count_of_proxies_that_means_nothing_trusts_none() -> None:
    async def read(limit: int) -> bytes:
        return b""

    headers = {"x-forwarded-for": "6.6.6.6"}
    request = Request("POST", "/", headers, "127.0.0.1:5", read, lambda size: None)
    assert client_ip(request, -1) == "127.0.0.1"
    assert client_ip(request, 1) == "6.6.6.6"
