"""The collector as granian sees it: one object a server process, RSGI on the outside.

RSGI and not ASGI under Starlette: a request costs half the CPU, and a
route here is a name in a table (docs/decisions/0002-collector-speaks-rsgi.md).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

# Public names, but granian imports them there under aliases, which mypy does not export.
from granian.rsgi import (  # type: ignore[attr-defined]
    HTTPProtocol,
    ProtocolClosed,
    ProtocolError,
    Scope,
)

from tidelake.collect.exchange import Answer, Pairs, Refusal, Request, too_large
from tidelake.collect.held import SMALL_BYTES, Held

CLOSE: Pairs = (("connection", "close"),)


class Service(Protocol):
    """What a server process runs between its start and its stop."""

    async def answer(self, request: Request) -> Answer:
        """The answer; raises nothing."""

    async def close(self) -> None:
        """Called once, when no request runs any more."""


class Body:
    """Reads a request's body: within its size, within its time, and only whole."""

    def __init__(self, scope: Scope, protocol: HTTPProtocol, held: Held, timeout_s: float) -> None:
        self._scope = scope
        self._protocol = protocol
        self._held = held
        self._timeout_s = timeout_s
        self.holds = 0

    def hold(self, size: int) -> None:
        """Counts bytes that this request keeps; raises `Refusal` over the bound of all requests."""
        self._held.take(size, self.holds)
        self.holds += size

    def release(self) -> None:
        self._held.give_back(self.holds)
        self.holds = 0

    async def read(self, limit: int) -> bytes:
        """The whole body; raises `Refusal`: 413 over the limit, 408 over the time, 400 if cut."""
        length = self._scope.headers.get("content-length")
        try:
            async with asyncio.timeout(self._timeout_s):
                if length is None:
                    return await self._unmeasured(limit)
                if int(length) > limit:
                    raise too_large("The body", limit)
                if int(length) > SMALL_BYTES:
                    return await self._measured(int(length))
                body = await self._protocol()
                self.hold(len(body))
                return body
        except TimeoutError as exc:
            raise Refusal(
                408,
                "too_slow",
                f"the body did not arrive within {self._timeout_s:g} s",
                "Send smaller requests, or raise request_timeout_s.",
                CLOSE,
            ) from exc
        except (ProtocolClosed, ProtocolError) as exc:
            raise _incomplete() from exc

    async def _measured(self, length: int) -> bytes:
        """A body with a stated length: whole when so many bytes came.

        One that is refused for want of memory is read to its end, and dropped: closing on a
        client that still sends would lose the answer that tells it when to come again.
        """
        parts: list[bytes] = []
        refusal: Refusal | None = None
        received = 0
        async for chunk in self._protocol:
            received += len(chunk)
            if refusal is None:
                try:
                    self.hold(len(chunk))
                    parts.append(chunk)
                except Refusal as exc:
                    refusal = exc
                    parts.clear()
                    self.release()
        if refusal is not None:
            raise refusal
        if received != length:
            raise _incomplete()
        return b"".join(parts)

    async def _unmeasured(self, limit: int) -> bytes:
        """A body without a stated length.

        granian ends the iteration of a body that broke off as it ends a whole one, but for an
        empty chunk more: a whole body has one empty chunk, its last. Anything else is refused.
        """
        parts: list[bytes] = []
        empty = 0
        async for chunk in self._protocol:
            empty += not chunk
            self.hold(len(chunk))
            if self.holds > limit:
                raise too_large("The body", limit)
            parts.append(chunk)
        if empty != 1 or parts[-1]:
            raise _incomplete()
        return b"".join(parts)


class Collector:
    """Hands requests to a `Service` that is opened in the server process, not before its fork."""

    def __init__(
        self, opening: Callable[[], Awaitable[Service]], timeout_s: float, held: Held
    ) -> None:
        self._opening = opening
        self._timeout_s = timeout_s
        self._held = held

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._service = loop.run_until_complete(self._opening())

    def __rsgi_del__(self, loop: asyncio.AbstractEventLoop) -> None:
        loop.run_until_complete(self._service.close())

    async def __rsgi__(self, scope: Scope, protocol: HTTPProtocol) -> None:
        body = Body(scope, protocol, self._held, self._timeout_s)
        request = Request(
            scope.method,
            scope.path,
            scope.headers,
            scope.client,
            body.read,
            body.hold,
            scope.query_string,
        )
        try:
            answer = await self._service.answer(request)
        finally:
            body.release()
        protocol.response_bytes(answer.status, list(answer.headers), answer.body)


def _incomplete() -> Refusal:
    return Refusal(
        400,
        "incomplete_body",
        "the connection ended before the body did",
        "Nothing of it was stored: send it again.",
        CLOSE,
    )
