"""What `process` would decide about records, for `/v1/validate`."""

from __future__ import annotations

from typing import Any

from tidelake.collect.records import Judge, Records
from tidelake.event.contract import EVENTS
from tidelake.pipeline.rules import rules_of
from tidelake.process import Accepted, Context, Received, Rejected, judge
from tidelake.process.envelope import read_envelope
from tidelake.settings import Settings


def judging(settings: Settings) -> Judge:
    """What `process` would decide about records of the API, by the rules of these settings."""
    context = Context(EVENTS, rules_of(settings))

    def verdicts(records: Records) -> list[dict[str, Any]]:
        about = read_envelope(records.envelope)
        return [
            _verdict(
                judge(
                    Received(body, about, records.received_at, "api", records.format, ""),
                    context,
                )
            )
            for body in records.bodies
        ]

    return verdicts


def _verdict(found: Accepted | Rejected) -> dict[str, Any]:
    if isinstance(found, Rejected):
        return {
            "accepted": False,
            "reason": found.reason.value,
            "field": found.field,
            "detail": found.detail,
        }
    return {
        "accepted": True,
        "event_type": found.row["event_type"],
        "event_key": found.row["event_key"].hex(),
        "flags": list(found.flags),
    }
