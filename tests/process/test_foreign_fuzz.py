"""Hostile messages of foreign formats: each becomes one row, and none is a fault of ours."""

from __future__ import annotations

from typing import Any

import pytest

from tidelake.process import process

from .batches import GROWN, RULES, batch_of
from .hostile import messages

PRODUCT = {"product_id": "p", "sku": "s", "name": "n", "category": "c", "price": 1.5, "quantity": 1}
PAGE = {"url": "u", "path": "p", "title": "t", "referrer": "r", "search": "s"}
SEGMENT: tuple[dict[str, Any], ...] = (
    {
        "type": "track", "event": "Order Completed", "messageId": "m", "userId": "u",
        "anonymousId": "a", "timestamp": "2026-11-24T11:00:00Z", "sentAt": "2026-11-24T11:00:01Z",
        "properties": {"total": 1, "currency": "EUR", "products": [PRODUCT]},
        "context": {
            "ip": "8.8.8.8", "userAgent": "Mozilla/5.0", "page": PAGE, "traits": {"plan": "p"},
            "screen": {"width": 1, "height": 2}, "device": {"type": "ios", "model": "m"},
            "os": {"name": "n", "version": "v"}, "network": {"wifi": True, "carrier": "c"},
        },
    },
    {"type": "page", "name": "Home", "properties": PAGE, "anonymousId": "a", "messageId": "m"},
    {"type": "identify", "traits": {"email": "e", "age": 5}, "userId": "u", "messageId": "m"},
    {"type": "track", "event": "Product Viewed", "properties": PRODUCT, "userId": "u"},
)  # fmt: skip
DATA = {"page": PAGE, "product": PRODUCT, "metadata": {"os": "o"}, "user_id": "u", "traits": {}}
ATTRIBUTES = {
    "specversion": "1.0",
    "id": "1",
    "source": "/s",
    "type": "com.example.order.completed",
}
STRUCTURED = ({**ATTRIBUTES, "time": "2026-11-24T11:00:00Z", "data": DATA}, {**ATTRIBUTES})
ENVELOPES: dict[str, dict[str, Any]] = {
    "of a server": {"project": "shop"},
    "of a batch": {"sentAt": 5, "context": {"page": 7, "ip": []}, "type": None, "ua": {}},
    "of a browser": {"ua": "Mozilla/5.0 \ud800", "ip": "::1", "type": "track"},
    "of a binary event": {"ce": {**ATTRIBUTES, "datacontenttype": "application/json"}},
    "of a hostile event": {"ce": {**ATTRIBUTES, "id": 5, "time": {}, "userid": []}},
}


@pytest.mark.parametrize("envelope", ENVELOPES.values(), ids=ENVELOPES)
@pytest.mark.parametrize(
    ("format", "examples"), [("segment", SEGMENT), ("cloudevents", (*STRUCTURED, DATA))]
)
def test_every_hostile_message_becomes_one_row(
    format: str, examples: tuple[dict[str, Any], ...], envelope: dict[str, Any]
) -> None:
    bodies = list(messages(examples, seed=len(str(envelope)), count=800))
    done = process(batch_of(bodies, format, envelope), GROWN, RULES)
    assert done.events.num_rows + done.rejected.num_rows == len(bodies)
    assert "unprocessable" not in done.rejected["reason"].to_pylist()
    done.events.validate(full=True)
    docs = dict(zip(done.events["source_position"].to_pylist(), done.events["_doc"], strict=True))
    for number, body in enumerate(bodies, start=1):
        doc = docs.get(f"inbox/7d0c/0/{number}")
        assert doc is None or doc.as_py().encode() == body
