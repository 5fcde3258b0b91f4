"""Everything one server process does: finds the route, answers, counts, never raises."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from tidelake.collect.accept import Accepting
from tidelake.collect.exchange import Answer, Refusal, Request
from tidelake.collect.keys import cors
from tidelake.collect.routes import Routes

log = logging.getLogger(__name__)
UNKNOWN_ROUTE = "other"  # one name for all of them, so that a scanner does not fill the metrics
RETRY_S = 5


@dataclass(frozen=True, slots=True)
class Service:
    """A `tidelake.collect.server.Service`: the routes over one lane."""

    routes: Routes
    accepting: Accepting
    stopping: Callable[[], None] = lambda: None

    async def answer(self, request: Request) -> Answer:
        """The answer to a request, whatever happens."""
        started = time.perf_counter()
        name = UNKNOWN_ROUTE
        try:
            name, handler = self.routes.find(request.method, request.path)
            answer = await handler(request)
        except Refusal as refusal:
            answer = refusal.answer
            self.accepting.counts.refused[(refusal.code,)] += 1
        except Exception:
            # A fault of ours. The client keeps its events and comes again; 5xx tells it so.
            log.exception("%s %s failed", request.method, request.path)
            answer = _fault().answer
            self.accepting.counts.refused[("fault",)] += 1
        counts = self.accepting.counts
        counts.requests[name, str(answer.status)] += 1
        counts.took(time.perf_counter() - started)
        origin = request.header("origin")
        if origin and self.accepting.keys.allows_somewhere(origin):
            return answer.adding(cors(origin))
        return answer

    async def close(self) -> None:
        self.stopping()
        await self.accepting.durable.close()


def _fault() -> Refusal:
    return Refusal(
        503,
        "fault",
        "the collector could not answer this request",
        "Send it again later; the collector's log says what happened.",
        (("retry-after", str(RETRY_S)),),
    )
