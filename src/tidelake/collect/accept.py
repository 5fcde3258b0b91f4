"""The way of a request through a door: key, body, cut, durable, answer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from tidelake import crash
from tidelake.collect.client_address import client_ip
from tidelake.collect.encodings import plain
from tidelake.collect.exchange import (
    Answer,
    Refusal,
    Request,
    too_many_records,
    unavailable,
)
from tidelake.collect.held import Held
from tidelake.collect.keys import Keys, Project, admit, key_in_header, unknown_key
from tidelake.collect.meter import Counts
from tidelake.collect.records import MOST_RECORDS, Cut, Durable, Records, envelope
from tidelake.errors import TransientError

# What a request knows is stored with each of its records: 100,000 of them with an ordinary client's
# envelope are 10 MB of it.
MOST_ENVELOPE_BYTES = 16 * 1024 * 1024
MOST_AGENT_CHARACTERS = 1024
# Decompressing or cutting more than this would keep other requests waiting on the event loop.
INLINE_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Door:
    """A way in: what its bodies may weigh, how they are cut, what is answered."""

    path: str  # the route's first name, also where a short form was called
    limit: int
    cut: Callable[[Request, bytes], Cut]
    answer: Callable[[int], Answer]
    too_large_status: int = 413
    key_in_body: bool = False


@dataclass(frozen=True, slots=True)
class Accepting:
    """What every door needs; `wall` gives seconds since 1970, `clock` monotonic ones."""

    durable: Durable
    keys: Keys
    counts: Counts
    trusted_proxies: int = 0
    held: Held = field(default_factory=Held)
    wall: Callable[[], float] = time.time
    clock: Callable[[], float] = time.monotonic

    async def accept(self, door: Door, request: Request) -> Answer:
        """2xx once the records are durable; raises `Refusal` where nothing is acknowledged."""
        records, project = await self.take(door, request)
        if records.bodies:
            try:
                await self.durable.append(records)
            except TransientError as exc:
                raise unavailable(exc) from exc
            self.counts.frames = self.durable.frames()
        self._count(records, project)
        crash.point("collect.before_answer")
        return door.answer(len(records.bodies))

    async def take(self, door: Door, request: Request) -> tuple[Records, Project]:
        """The records of a request whose sender may send them; nothing is stored yet."""
        key, origin = key_in_header(request), request.header("origin")
        project = self.keys.find(key)
        if project:
            admit(project, origin, self.clock())
        elif not door.key_in_body:
            raise unknown_key(bool(key))
        cut = await self._cut(door, request)
        if project is None:
            project = self.keys.find(cut.key)
            if project is None:
                raise unknown_key(bool(key or cut.key))
            admit(project, origin, self.clock())
        return self._records(door, request, cut, project), project

    def trouble(self) -> list[str]:
        """Why requests would be refused now, in sentences."""
        return [said for said in (self.durable.trouble(), self.held.trouble()) if said]

    async def _cut(self, door: Door, request: Request) -> Cut:
        try:
            body = await self._body(door, request)
            if len(body) <= INLINE_BYTES:
                return door.cut(request, body)
            return await asyncio.to_thread(door.cut, request, body)
        except Refusal as refusal:
            if refusal.status == 413:
                raise refusal.with_status(door.too_large_status) from None
            raise

    async def _body(self, door: Door, request: Request) -> bytes:
        body = await request.read(door.limit)
        encoding = request.header("content-encoding")
        if not encoding:
            return body
        if len(body) <= INLINE_BYTES:
            decompressed = plain(body, encoding, door.limit)
        else:
            decompressed = await asyncio.to_thread(plain, body, encoding, door.limit)
        request.hold(len(decompressed))
        return decompressed

    def _records(self, door: Door, request: Request, cut: Cut, project: Project) -> Records:
        facts = {
            "path": door.path,
            "ip": client_ip(request, self.trusted_proxies),
            "ua": request.header("user-agent")[:MOST_AGENT_CHARACTERS],
            "project": project.name,
            **cut.facts,
        }
        shared = envelope(facts)
        count = len(cut.bodies)
        if count > MOST_RECORDS or count * len(shared) > MOST_ENVELOPE_BYTES:
            most = min(MOST_RECORDS, MOST_ENVELOPE_BYTES // len(shared))
            raise too_many_records(most).with_status(door.too_large_status)
        return Records(cut.bodies, shared, int(self.wall() * 1_000_000), cut.format)

    def _count(self, records: Records, project: Project) -> None:
        self.counts.records[records.format, project.name] += len(records.bodies)
        self.counts.bytes[(records.format,)] += sum(map(len, records.bodies))
