"""Why one record is refused; never leaves this room, where it becomes a row of rejected_events."""

from __future__ import annotations

import json
from typing import Any

from tidelake.event.verdicts import Reason


class Refused(Exception):
    """The record can not become an event. `field` is the column at fault, where one is."""

    def __init__(self, reason: Reason, field: str | None, detail: str) -> None:
        super().__init__(reason, field, detail)
        self.reason = reason
        self.field = field
        self.detail = detail


def shown(value: Any, limit: int = 80) -> str:
    """A value as JSON in plain ASCII, short enough for a sentence."""
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    text = json.dumps(value[: limit + 1] if isinstance(value, str) else value)
    return text if len(text) <= limit else text[:limit] + "…"
