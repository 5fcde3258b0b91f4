"""A request as the rooms see it, the answer to it, and the refusal that is raised."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from typing import Protocol

import msgspec

from tidelake.errors import OverloadedError, TidelakeError

Pairs = tuple[tuple[str, str], ...]
JSON: Pairs = (("content-type", "application/json"),)
UNAVAILABLE_RETRY_S = 5


class Headers(Protocol):
    """Request headers by lower-case name."""

    def get(self, key: str, default: str | None = None) -> str | None: ...
    def items(self) -> Iterable[tuple[str, str]]: ...
    def keys(self) -> Iterable[str]:
        """All names, also those whose value is not ASCII, which `get` and `items` leave out."""


@dataclass(slots=True)
class Request:
    """One request.

    `read(limit)` gives the body as sent, all of it, or raises `Refusal`; `hold(n)` counts further
    bytes that the request keeps in memory, and refuses (503) where all together keep too many.
    """

    method: str
    path: str
    headers: Headers
    peer: str
    read: Callable[[int], Awaitable[bytes]]
    hold: Callable[[int], None]
    query: str = ""

    def header(self, name: str) -> str:
        """The header's text without spaces around it; empty where it is absent."""
        return (self.headers.get(name) or "").strip()

    @property
    def media_type(self) -> str:
        """Content-Type without parameters, lower case."""
        return self.header("content-type").partition(";")[0].strip().lower()


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back to the client."""

    status: int
    body: bytes
    headers: Pairs = JSON

    def adding(self, more: Pairs) -> Answer:
        """The same answer with further headers."""
        return Answer(self.status, self.body, self.headers + more) if more else self


class Refusal(Exception):
    """The request is refused: nothing of it is stored."""

    def __init__(
        self, status: int, code: str, message: str, hint: str, headers: Pairs = ()
    ) -> None:
        super().__init__(message)
        self.code = code
        self.answer = Answer(status, error_body(code, message, hint), JSON + headers)

    @property
    def status(self) -> int:
        return self.answer.status

    def with_status(self, status: int) -> Refusal:
        """The same refusal where a protocol wants another status for it."""
        self.answer = replace(self.answer, status=status)
        return self


def error_body(code: str, message: str, hint: str) -> bytes:
    """`{"error": {"code", "message", "hint"}}`."""
    return msgspec.json.encode({"error": {"code": code, "message": message, "hint": hint}})


def unavailable(exc: TidelakeError) -> Refusal:
    """503 for passing trouble of ours: the inbox is full, the disk does not write."""
    overloaded = isinstance(exc, OverloadedError)
    wait_s = exc.retry_after if isinstance(exc, OverloadedError) else UNAVAILABLE_RETRY_S
    return Refusal(
        503,
        "overloaded" if overloaded else "unavailable",
        exc.message,
        f"Nothing of this request was stored: send it again in {wait_s} s.",
        (("retry-after", str(wait_s)),),
    )


def too_many_records(most: int) -> Refusal:
    """413: more records than one request may bring."""
    return Refusal(
        413,
        "too_many_records",
        f"the body holds more than {most:,} records, or as many lines",
        f"Send at most {most:,} in a request, with a short batch context.",
    )


def too_large(what: str, limit: int) -> Refusal:
    """413: more bytes than the limit allows."""
    return Refusal(
        413,
        "too_large",
        f"{what} is larger than the limit of {limit:,} bytes",
        "Send fewer events in a request; the limits are settings of the collector.",
    )
