"""Native events, and the one door through which CloudEvents come as well: `POST /v1/events`."""

from __future__ import annotations

from tidelake.collect import cloudevents
from tidelake.collect.cut import LINES, cut, unmarked
from tidelake.collect.exchange import Answer, Refusal, Request, too_large
from tidelake.collect.records import Cut


def cut_events(request: Request, body: bytes, max_event_bytes: int) -> Cut:
    """An object, an array or lines; CloudEvents where the headers say so.

    A lone event over the limit is refused, since its sender can be told; in a batch it is stored
    and rejected later, so that it does not cost its neighbours.
    """
    if cloudevents.is_meant(request):
        return cloudevents.cut_cloudevents(request, body, max_event_bytes)
    media_type = request.media_type
    body = unmarked(body)
    if not body or body.isspace():
        raise empty_body()
    records = cut(body, media_type)
    if len(records) == 1 and len(records[0]) > max_event_bytes and media_type not in LINES:
        raise too_large("The event", max_event_bytes)
    return Cut(records, "native")


def accepted(records: int) -> Answer:
    """`{"accepted": n}`: so many records are durable."""
    return Answer(200, b'{"accepted":%d}' % records)


def empty_body() -> Refusal:
    return Refusal(
        400,
        "empty_body",
        "the body holds no event",
        "Send a JSON object, a JSON array of objects, or one object a line.",
    )
