"""Which path leads where."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable
from functools import partial

import msgspec

from tidelake.collect import native, openapi, page, segment, validate
from tidelake.collect.accept import Accepting, Door
from tidelake.collect.exchange import Answer, Pairs, Refusal, Request
from tidelake.collect.keys import preflight
from tidelake.collect.meter import CONTENT_TYPE, Counts, exposition
from tidelake.collect.records import Judge
from tidelake.settings import Collect

Handler = Callable[[Request], Awaitable[Answer]]
Methods = dict[str, Handler]

SHORT_FORMS = {
    "track": ("t",),
    "identify": ("i",),
    "page": ("p",),
    "screen": ("s",),
    "group": ("g",),
    "alias": ("a",),
    "batch": ("b", "import"),
}
_SETTINGS = re.compile(r"(?:/v1)?/projects/([^/]{1,200})/settings")
SETTINGS_ROUTE = "/v1/projects/{writeKey}/settings"


class Routes:
    """The collector's paths; `find` gives the name that metrics use, and the handler."""

    def __init__(
        self,
        limits: Collect,
        accepting: Accepting,
        judge: Judge | None,
        counted: Callable[[], Iterable[Counts]],
    ) -> None:
        self._keys = accepting.keys
        self._settings: Methods = {"GET": _settings}
        self._table: dict[str, tuple[str, Methods]] = {}
        for paths, door in _doors(limits):
            accept = partial(accepting.accept, door)
            for path in paths:
                self._table[path] = (door.path, {"POST": accept})
        self._one("GET", "/healthz", _alive)
        self._one("GET", "/readyz", partial(_ready, accepting))
        self._one("GET", "/metrics", partial(_metrics, accepting, counted))
        self._one("GET", "/openapi.json", partial(_fixed, openapi.answer))
        self._one("GET", "/docs", partial(_fixed, page.answer))
        if judge is not None:
            # Judging costs far more than storing, and holds up nothing but its asker.
            doors = validate.doors(limits)
            self._one("POST", validate.PATH, partial(validate.answer, accepting, doors, judge))
        for path in ("/v1/m", "/m"):
            self._one("POST", path, _fine)

    def _one(self, method: str, path: str, handler: Handler) -> None:
        self._table[path] = (path, {method: handler})

    def find(self, method: str, path: str) -> tuple[str, Handler]:
        """Name and handler; raises `Refusal` (404, 405)."""
        name, methods = self._table.get(path) or self._pattern(path)
        handler = methods.get(method)
        if handler is not None:
            return name, handler
        if method == "HEAD" and "GET" in methods:
            return name, methods["GET"]
        if method == "OPTIONS":
            return name, self._preflight
        allowed = ", ".join((*methods, "OPTIONS"))
        raise Refusal(
            405,
            "method_not_allowed",
            f"{path[:200]} does not answer {method[:20]}",
            f"Use {allowed}.",
            (("allow", allowed),),
        )

    def _pattern(self, path: str) -> tuple[str, Methods]:
        if _SETTINGS.fullmatch(path):
            return SETTINGS_ROUTE, self._settings
        raise Refusal(
            404,
            "not_found",
            f"there is nothing at {path[:200]}",
            "Events go to /v1/events; /docs lists everything.",
        )

    async def _preflight(self, request: Request) -> Answer:
        origin = request.header("origin")
        wanted = request.header("access-control-request-headers")
        return Answer(204, b"", preflight(origin, self._keys.allows_somewhere(origin), wanted))


def _doors(limits: Collect) -> list[tuple[list[str], Door]]:
    """Every way in for events, with the paths that lead to it."""
    doors = [
        (
            ["/v1/events", "/v1/cloudevents"],
            Door(
                path="/v1/events",
                limit=limits.max_batch_bytes,
                cut=partial(native.cut_events, max_event_bytes=limits.max_event_bytes),
                answer=native.accepted,
            ),
        )
    ]
    for call, others in SHORT_FORMS.items():
        cut = (
            partial(segment.cut_batch, max_event_bytes=limits.max_event_bytes)
            if call == "batch"
            else partial(segment.cut_message, max_event_bytes=limits.max_event_bytes, call=call)
        )
        door = Door(
            path=f"/v1/{call}",
            limit=limits.max_segment_bytes,
            cut=cut,
            answer=segment.succeeded,
            too_large_status=400,
            key_in_body=True,
        )
        doors.append(([f"/v1/{name}" for name in (call, *others)], door))
    return doors


async def _alive(_request: Request) -> Answer:
    return Answer(200, b'{"alive":true}')


async def _ready(accepting: Accepting, _request: Request) -> Answer:
    trouble = accepting.trouble()
    body = {"ready": not trouble, "trouble": trouble}
    return Answer(503 if trouble else 200, msgspec.json.encode(body))


async def _metrics(
    accepting: Accepting, counted: Callable[[], Iterable[Counts]], _request: Request
) -> Answer:
    headers: Pairs = (("content-type", CONTENT_TYPE),)
    return Answer(200, exposition(counted(), accepting.durable.backlog_bytes()), headers)


async def _settings(request: Request) -> Answer:
    return segment.SETTINGS


async def _fixed(answer: Callable[[], Answer], _request: Request) -> Answer:
    return answer()


async def _fine(_request: Request) -> Answer:
    """What analytics.js reports about itself; it is not kept."""
    return segment.SUCCESS
