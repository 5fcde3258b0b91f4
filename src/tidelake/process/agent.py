"""Browser, system, device and place of a user, where the record does not state them itself."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from tidelake.errors import SetupError
from tidelake.event.verdicts import Flag
from tidelake.process.envelope import Envelope
from tidelake.process.rules import CountryLookup
from tidelake.process.text import clean

AGENT_COLUMNS = (
    "metadata_browser",
    "metadata_os",
    "metadata_device",
    "user_agent_browser_version",
    "user_agent_platform_version",
    "user_agent_device_type",
)
PLACE_COLUMNS = ("location_ip_address", "location_country")
DESKTOPS = frozenset({"Windows", "Mac OS X", "Linux", "Ubuntu", "Fedora", "Chrome OS", "FreeBSD"})
MOBILES = frozenset({"iOS", "Android", "Windows Phone", "KaiOS", "HarmonyOS"})
# Far longer than any browser's; the patterns take time that grows with the text.
LONGEST_AGENT = 1024


@dataclass(frozen=True, slots=True)
class Agent:
    """A User-Agent string taken apart; `columns` holds what it tells."""

    columns: Mapping[str, str]
    bot: bool


def describe_request(
    row: MutableMapping[str, Any],
    flags: set[str],
    stated_agent: str | None,
    envelope: Envelope,
    country: CountryLookup | None,
) -> None:
    """Fills the columns of `AGENT_COLUMNS` and `PLACE_COLUMNS` that are null.

    A User-Agent string in the record itself completes what the record states. The request's own is
    used where a browser sent it and the record says nothing of its agent; likewise the IP.
    """
    agent = stated_agent
    if not agent and envelope.browser and all(row.get(name) is None for name in AGENT_COLUMNS):
        agent = envelope.ua
    if agent:
        _describe_agent(row, flags, agent)
    if row.get("location_ip_address") is None and envelope.browser and envelope.ip:
        row["location_ip_address"] = envelope.ip
    ip = row.get("location_ip_address")
    if country is not None and ip is not None and row.get("location_country") is None:
        row["location_country"] = country(ip)


@lru_cache(maxsize=20_000)
def parse_agent(text: str) -> Agent:
    """What the patterns of uap-core (https://github.com/ua-parser) read in a User-Agent string."""
    try:
        from ua_parser import parse
    except ImportError as exc:
        raise SetupError(
            "user agents can not be parsed: ua-parser is not installed",
            hint="Install tidelake[ingest].",
        ) from exc
    found = parse(clean(text[:LONGEST_AGENT]))
    browser, system, device = found.user_agent, found.os, found.device
    bot = device is not None and device.family == "Spider"
    family = device.family if device else None
    columns = {
        "metadata_browser": browser.family if browser else None,
        "metadata_os": system.family if system else None,
        "metadata_device": family,
        "user_agent_browser_version": _version(browser),
        "user_agent_platform_version": _version(system),
        "user_agent_device_type": "bot" if bot else _device_type(found, text),
    }
    return Agent({name: clean(value) for name, value in columns.items() if value}, bot)


def _describe_agent(row: MutableMapping[str, Any], flags: set[str], text: str) -> None:
    agent = parse_agent(text)
    for name, value in agent.columns.items():
        if row.get(name) is None:
            row[name] = value
    if agent.bot:
        flags.add(Flag.BOT)


def _version(part: Any) -> str | None:
    if part is None:
        return None
    numbers = (part.major, part.minor, part.patch, part.patch_minor)
    return ".".join(number for number in numbers if number) or None


def _device_type(found: Any, text: str) -> str:
    system = found.os.family if found.os else ""
    device = found.device
    if "iPad" in text or "Tablet" in text or (device and "Tablet" in (device.brand or "")):
        return "tablet"
    if system in MOBILES:
        return "mobile"
    return "desktop" if system in DESKTOPS else "other"
