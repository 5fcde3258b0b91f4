"""`POST /v1/validate`: what would become of these records. Nothing is stored."""

from __future__ import annotations

import asyncio
from functools import partial
from urllib.parse import parse_qs

import msgspec

from tidelake.collect import cloudevents, native, segment
from tidelake.collect.accept import Accepting, Door
from tidelake.collect.exchange import Answer, Refusal, Request
from tidelake.collect.records import Judge
from tidelake.settings import Collect

PATH = "/v1/validate"
FORMATS = {
    "native": native.cut_events,
    "cloudevents": cloudevents.cut_cloudevents,
    "segment": segment.cut_any,
}


def doors(limits: Collect) -> dict[str, Door]:
    """A door for each format. Judging costs far more than storing: bodies are small ones."""
    return {
        name: Door(
            path=PATH,
            limit=limits.max_segment_bytes,
            cut=partial(cut, max_event_bytes=limits.max_event_bytes),
            answer=native.accepted,
            key_in_body=name == "segment",
        )
        for name, cut in FORMATS.items()
    }


async def answer(
    accepting: Accepting, doors: dict[str, Door], judge: Judge, request: Request
) -> Answer:
    """`{"accepted": n, "rejected": m, "verdicts": [one for each record, in order]}`."""
    records, _ = await accepting.take(doors[_format(request)], request)
    verdicts = await asyncio.to_thread(judge, records) if records.bodies else []
    accepted = sum(bool(verdict["accepted"]) for verdict in verdicts)
    body = {
        "accepted": accepted,
        "rejected": len(verdicts) - accepted,
        "verdicts": verdicts,
    }
    return Answer(200, msgspec.json.encode(body))


def _format(request: Request) -> str:
    """The `format` of the query; without one the headers tell CloudEvents from native events."""
    name = parse_qs(request.query).get("format", ["native"])[-1]
    if name not in FORMATS:
        raise Refusal(
            400,
            "unknown_format",
            f"format is {name[:40]!r}, not one of {', '.join(FORMATS)}",
            "Name one of them, or leave it out for native events and CloudEvents.",
        )
    return name
