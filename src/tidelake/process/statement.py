"""What a client stated, in the words of the contract: what each format's reader gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tidelake.event.contract import Contract
from tidelake.process.envelope import Envelope
from tidelake.process.rules import Rules


@dataclass(frozen=True, slots=True)
class Received:
    """One raw record with what is known of it. `received_at`: microseconds since 1970."""

    body: bytes
    envelope: Envelope
    received_at: int
    source: str
    format: str
    source_position: str


@dataclass(frozen=True, slots=True)
class Context:
    """What all records of a batch are judged by."""

    contract: Contract
    rules: Rules


@dataclass(slots=True)
class Statement:
    """The values of one record before they are judged.

    `columns` holds raw values by column: of any type, absent where the client sent none.
    """

    columns: dict[str, Any]
    flags: set[str]
    doc: str | None
    rest: str | None = None
    doc_at: int | None = None
    identity: str = ""  # what event_key is made of; empty: event_id
    time: int | None = None  # event_time; None: the client stated none
    day_time: int | None = None  # the time whose UTC day is event_day; None: event_time
    user_required: bool = True
    time_required: bool = True
    items: str | None = None
    traits: str | None = None
    user_agent: str | None = None  # a User-Agent string that the record itself holds
    names: Mapping[str, str] = field(default_factory=dict)  # column: member as the client calls it
