"""Faults behind the routes: the client is told to come again, never 500."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from dataclasses import dataclass

import pytest

from tidelake.collect.accept import INLINE_BYTES, Accepting, Door
from tidelake.collect.exchange import Answer, Request
from tidelake.collect.keys import Keys
from tidelake.collect.meter import Counts
from tidelake.collect.records import Cut, Records
from tidelake.collect.routes import Routes
from tidelake.collect.service import Service
from tidelake.errors import OverloadedError, UnavailableError
from tidelake.settings import Collect


@dataclass
class Failing:
    """A lane whose disk fails."""

    failure: Exception

    async def append(self, records: Records) -> None:
        raise self.failure

    def trouble(self) -> str:
        return str(self.failure)

    def frames(self) -> int:
        return 0

    def backlog_bytes(self) -> int:
        return 0

    async def close(self) -> None:
        """Nothing is open."""


def answer_of(failure: Exception) -> Answer:
    accepting = Accepting(Failing(failure), Keys({}), Counts())
    service = Service(Routes(Collect(), accepting, None, list), accepting)

    async def read(limit: int) -> bytes:
        return b'{"event_id":"1"}'

    request = Request("POST", "/v1/events", {}, "127.0.0.1:1", read, lambda size: None)
    return asyncio.run(service.answer(request))


@pytest.mark.parametrize(
    ("failure", "code", "retry_after"),
    [
        (UnavailableError("the disk does not write"), "unavailable", "5"),
        (OverloadedError("too much waits", retry_after=7), "overloaded", "7"),
        (ZeroDivisionError("a fault"), "fault", "5"),
    ],
)
def test_a_failed_append_is_answered_503_with_a_time_to_come_back(
    failure: Exception, code: str, retry_after: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        answer = answer_of(failure)
    assert answer.status == 503
    assert json.loads(answer.body)["error"]["code"] == code
    assert dict(answer.headers)["retry-after"] == retry_after
    assert ("a fault" in caplog.text) == (code == "fault")


@pytest.mark.parametrize(("size", "on_the_loop"), [(INLINE_BYTES, True), (INLINE_BYTES + 1, False)])
def test_large_bodies_are_cut_where_they_hold_up_nobody(size: int, on_the_loop: bool) -> None:
    threads: list[int] = []

    def cut(request: Request, body: bytes) -> Cut:
        threads.append(threading.get_ident())
        return Cut([body], "native")

    async def read(limit: int) -> bytes:
        return bytes(size)

    async def taken() -> int:
        request = Request("POST", "/", {}, "127.0.0.1:1", read, lambda size: None)
        accepting = Accepting(Failing(ValueError()), Keys({}), Counts())
        await accepting.take(Door("/", size, cut, lambda count: Answer(200, b"")), request)
        return threading.get_ident()

    loop = asyncio.run(taken())
    assert (threads == [loop]) == on_the_loop
