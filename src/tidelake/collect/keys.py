"""Write keys: who may send, from where, and how often. A key itself is never stored."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from tidelake.collect.exchange import Pairs, Refusal, Request
from tidelake.settings import WriteKey

ANY_ORIGIN = "*"
ALLOWED_METHODS = "GET, POST, OPTIONS"
ALLOWED_HEADERS = "authorization, content-type, content-encoding"
# What a page may read of an answer besides its body: when to come again.
EXPOSED_HEADERS = "retry-after, x-ratelimit-reset"
# CloudEvents' attributes are headers whose names nobody knows beforehand.
_CLOUDEVENT = re.compile(r"ce-[a-z0-9]{1,64}")
PREFLIGHT_S = 7200


@dataclass(slots=True)
class Bucket:
    """A token bucket that holds one second's worth of requests."""

    per_s: float
    tokens: float
    at: float = 0.0

    def take(self, now: float) -> float:
        """Takes a token, or gives the seconds until there is one. `now` is monotonic."""
        self.tokens = min(max(self.per_s, 1.0), self.tokens + (now - self.at) * self.per_s)
        self.at = now
        if self.tokens < 1:
            return (1 - self.tokens) / self.per_s
        self.tokens -= 1
        return 0.0


@dataclass(frozen=True, slots=True)
class Project:
    """What a key opens."""

    name: str
    origins: tuple[str, ...]
    bucket: Bucket | None

    def admits(self, origin: str) -> bool:
        return not origin or ANY_ORIGIN in self.origins or origin in self.origins


EVERYONE = Project("", (ANY_ORIGIN,), None)


class Keys:
    """The configured keys; without any, everyone may send and no record has a project."""

    def __init__(self, keys: Mapping[str, WriteKey], workers: int = 1) -> None:
        """A key's rate is shared out over the server's `workers`."""
        self._projects = [
            (bytes.fromhex(key.sha256), Project(name, key.origins, _bucket(key, workers)))
            for name, key in keys.items()
        ]

    def find(self, key: str) -> Project | None:
        """The project that a key opens; without any key configured, that of everyone."""
        if not self._projects:
            return EVERYONE
        if not key:
            return None
        digest = hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()
        found = None
        for known, project in self._projects:
            # Every key is compared, in constant time: how long it takes tells nothing.
            if hmac.compare_digest(known, digest):
                found = project
        return found

    def allows_somewhere(self, origin: str) -> bool:
        """Whether any key may be used from an origin: a preflight request does not say which."""
        return not self._projects or any(p.admits(origin) for _, p in self._projects)


def unknown_key(given: bool) -> Refusal:
    """401: no key, or one that no project has."""
    return Refusal(
        401,
        "wrong_key" if given else "no_key",
        "no project has this write key" if given else "the request has no write key",
        "Send it as `Authorization: Basic base64(KEY:)` or `Authorization: Bearer KEY`; "
        "Segment's SDKs also put it in the body. Keys are settings of the collector.",
        (("www-authenticate", 'Basic realm="tidelake"'),),
    )


def _bucket(key: WriteKey, workers: int) -> Bucket | None:
    rate = key.requests_per_s / workers
    return Bucket(rate, max(rate, 1.0)) if rate > 0 else None


def key_in_header(request: Request) -> str:
    """The key in `Authorization`: Basic (user name, with or without a colon) or Bearer."""
    scheme, _, value = request.header("authorization").partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(value.strip()).decode("utf-8").partition(":")[0]
    except (binascii.Error, ValueError):
        return ""


def admit(project: Project, origin: str, now: float) -> None:
    """Raises `Refusal`: 403 from an origin that the key is not for, 429 over the key's rate."""
    if not project.admits(origin):
        raise Refusal(
            403,
            "origin_not_allowed",
            f"the write key of {project.name} is not for pages of {origin[:200]}",
            f"Add the origin to `origins` of [collect.keys.{project.name}].",
        )
    wait = project.bucket.take(now) if project.bucket else 0.0
    if wait > 0:
        seconds = str(math.ceil(wait))
        raise Refusal(
            429,
            "rate_limited",
            f"more requests than the limit of {project.name} allows",
            f"Come back in {seconds} s, or send more events in a request.",
            (("retry-after", seconds), ("x-ratelimit-reset", seconds)),
        )


def cors(origin: str) -> Pairs:
    """Headers that let a page of `origin` read the answer."""
    if not origin:
        return ()
    return (
        ("access-control-allow-origin", origin),
        ("access-control-expose-headers", EXPOSED_HEADERS),
        ("vary", "origin"),
    )


def preflight(origin: str, allowed: bool, wanted: str = "") -> Pairs:
    """What besides `cors` answers a browser's question whether a page of `origin` may send.

    `wanted` are the headers that it asks for.
    """
    if not (origin and allowed):
        return (("vary", "origin"),)
    names = (name.strip().lower() for name in wanted.split(","))
    events = [name for name in names if _CLOUDEVENT.fullmatch(name)]
    return (
        ("access-control-allow-methods", ALLOWED_METHODS),
        ("access-control-allow-headers", ", ".join((ALLOWED_HEADERS, *events))),
        ("access-control-max-age", str(PREFLIGHT_S)),
    )
