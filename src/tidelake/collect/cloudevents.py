"""CloudEvents 1.0 over HTTP: binary, structured and batched.

https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md
"""

from __future__ import annotations

import re
from urllib.parse import unquote_to_bytes

from tidelake.collect.cut import array, unmarked
from tidelake.collect.exchange import Refusal, Request, too_large
from tidelake.collect.records import Cut

BATCHED = "application/cloudevents-batch"
STRUCTURED = "application/cloudevents"
PREFIX = "ce-"
_ESCAPED = re.compile(r"\\(.)")


def is_meant(request: Request) -> bool:
    """Whether the headers announce CloudEvents."""
    return request.media_type.startswith(STRUCTURED) or bool(request.header("ce-specversion"))


def cut_cloudevents(request: Request, body: bytes, max_event_bytes: int) -> Cut:
    """The events of a request; for binary ones the attributes are the fact `ce`."""
    media_type = request.media_type
    if media_type.startswith(BATCHED):
        _json_only(media_type)
        return Cut(array(body), "cloudevents")
    if len(body) > max_event_bytes:
        raise too_large("The event", max_event_bytes)
    if media_type.startswith(STRUCTURED):
        _json_only(media_type)
        if not body.strip():
            raise _refused("the body holds no event", "Send the event as one JSON object.")
        return Cut([unmarked(body)], "cloudevents")
    facts = {"ce": attributes(request), "content_type": request.header("content-type")}
    return Cut([body], "cloudevents", facts)


def attributes(request: Request) -> dict[str, str]:
    """The `ce-` headers without the prefix, decoded; raises `Refusal` where one is not UTF-8."""
    return {
        name[len(PREFIX) :]: _decoded(name, request.headers.get(name))
        for name in request.headers.keys()  # noqa: SIM118 - not a dict: has no iterator
        if name.startswith(PREFIX)
    }


def _decoded(name: str, value: str | None) -> str:
    if value is None:
        raise _refused(f"the header {name} is not ASCII", "Encode its UTF-8 bytes as %XX.")
    value = value.strip()
    if len(value) > 1 and value[0] == value[-1] == '"':
        value = _ESCAPED.sub(r"\1", value[1:-1])
    try:
        return unquote_to_bytes(value).decode("utf-8")
    except UnicodeDecodeError as exc:
        raise _refused(
            f"the header {name} is not percent-encoded UTF-8: {exc}",
            "Encode the bytes of its UTF-8 text as %XX.",
        ) from exc


def _json_only(media_type: str) -> None:
    _, _, suffix = media_type.partition("+")
    if suffix not in ("", "json"):
        raise Refusal(
            415,
            "unsupported_format",
            f"CloudEvents are read as JSON here, not as {suffix[:40]}",
            "Send application/cloudevents+json or application/cloudevents-batch+json.",
        )


def _refused(message: str, hint: str) -> Refusal:
    return Refusal(400, "bad_cloudevent", message, hint)
