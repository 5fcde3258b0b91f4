"""`POST /v1/validate`: what would become of these records. Nothing is stored."""

from __future__ import annotations

import asyncio

import msgspec

from tidelake.collect.accept import Accepting, Door
from tidelake.collect.exchange import Answer, Request
from tidelake.collect.records import Judge


async def answer(accepting: Accepting, door: Door, judge: Judge, request: Request) -> Answer:
    """`{"accepted": n, "rejected": m, "verdicts": [one for each record, in order]}`."""
    records, _ = await accepting.take(door, request)
    verdicts = await asyncio.to_thread(judge, records) if records.bodies else []
    accepted = sum(bool(verdict["accepted"]) for verdict in verdicts)
    body = {
        "accepted": accepted,
        "rejected": len(verdicts) - accepted,
        "verdicts": verdicts,
    }
    return Answer(200, msgspec.json.encode(body))
