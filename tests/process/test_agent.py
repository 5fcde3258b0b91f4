"""Browser, system and place of a user, from the user agent and the request."""

from __future__ import annotations

from typing import Any

import pytest

from tidelake.event.contract import EVENTS
from tidelake.process import Rules, process

from .batches import EVENT, batch_of, body_of, row

CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/131.0.0.0 Safari/537.36"
)
PIXEL = (
    "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/131.0.0.0 Mobile Safari/537.36"
)
IPAD = (
    "Mozilla/5.0 (iPad; CPU OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/17.5 Mobile/15E148 Safari/604.1"
)
GALAXY_TAB = CHROME.replace("Windows NT 10.0; Win64; x64", "Linux; Android 14; SM-X710")
GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"


def from_request(agent: str, record: dict[str, Any] = EVENT, ip: str = "") -> dict[str, Any]:
    found = row(record, envelope={"ua": agent, "ip": ip})
    told = ("metadata_", "user_agent_", "location_", "quality_flags")
    return {name: value for name, value in found.items() if name.startswith(told)}


@pytest.mark.parametrize(
    ("agent", "browser", "system", "device", "kind"),
    [
        (CHROME, "Chrome", "Windows", None, "desktop"),
        (PIXEL, "Chrome Mobile", "Android", "Pixel 8", "mobile"),
        (IPAD, "Mobile Safari", "iOS", "iPad", "tablet"),
        (GALAXY_TAB, "Chrome", "Android", "SM-X710", "tablet"),
        (GOOGLEBOT, "Googlebot", None, "Spider", "bot"),
        ("Mozilla/5.0", None, None, None, "other"),
    ],
)
def test_a_browser_s_request_describes_a_user_who_does_not(
    agent: str, browser: str | None, system: str | None, device: str | None, kind: str
) -> None:
    found = from_request(agent)
    names = ("metadata_browser", "metadata_os", "metadata_device", "user_agent_device_type")
    assert tuple(found.get(name) for name in names) == (browser, system, device, kind)
    assert found["quality_flags"] == (["bot"] if kind == "bot" else [])


def test_versions_are_written_with_dots() -> None:
    found = from_request(CHROME)
    versions = (found["user_agent_browser_version"], found["user_agent_platform_version"])
    assert versions == ("131.0.0.0", "10")


@pytest.mark.parametrize("agent", ["python-requests/2.32", "curl/8.0", "analytics-node/2.1", ""])
def test_a_server_s_request_says_nothing_of_the_user(agent: str) -> None:
    assert from_request(agent, ip="9.9.9.9") == {"quality_flags": []}


def test_what_the_record_states_is_not_mixed_with_what_the_request_tells() -> None:
    record = {**EVENT, "metadata": {"browser": "Our App"}, "_doc": {"location": {"city": "Bern"}}}
    assert from_request(CHROME, record, ip="9.9.9.9") == {
        "metadata_browser": "Our App",
        "location_city": "Bern",
        "location_ip_address": "9.9.9.9",
        "quality_flags": [],
    }


@pytest.mark.parametrize("agent", ["\ud800", "x" * 100_000, "Mozilla/5.0 " + "(" * 5000, "\0"])
def test_a_hostile_user_agent_costs_nothing_but_its_columns(agent: str) -> None:
    record = {
        "type": "track", "event": "click", "messageId": "m", "userId": "u", "timestamp": 1795514400,
        "context": {"userAgent": agent},
    }  # fmt: skip
    batch = batch_of([body_of(record)], format="segment")
    assert process(batch, EVENTS, Rules(max_event_bytes=10**6)).events.num_rows == 1


class Countries:
    """A country lookup that knows one address."""

    def __call__(self, ip: str) -> str | None:
        return "CH" if ip == "9.9.9.9" else None


@pytest.mark.parametrize(
    ("location", "country"),
    [
        ({"ip_address": "9.9.9.9"}, "CH"),
        ({"ip_address": "9.9.9.9", "country": "DE"}, "DE"),
        ({"ip_address": "10.0.0.1"}, None),
        ({"ip_address": "no address"}, None),
        ({}, None),
    ],
)
def test_the_country_is_looked_up_where_the_user_gave_the_means(
    location: dict[str, str], country: str | None
) -> None:
    batch = batch_of([body_of({**EVENT, "_doc": {"location": location}})])
    done = process(batch, EVENTS, Rules(country=Countries()))
    assert done.events["location_country"].to_pylist() == [country]
