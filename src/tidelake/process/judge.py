"""One record is judged: it becomes a row of events, or a reason."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tidelake.errors import TidelakeError
from tidelake.event.identity import event_key
from tidelake.event.verdicts import ID_COLUMNS, MAX_ID_BYTES, Flag, Reason
from tidelake.process.agent import describe_request
from tidelake.process.clock import place_in_time
from tidelake.process.columns import text_of, typed
from tidelake.process.formats import READERS
from tidelake.process.refusal import Refused, shown
from tidelake.process.rules import DAY_US
from tidelake.process.statement import Context, Received, Statement


@dataclass(slots=True)
class Draft:
    """A record on its way through the steps: what was received, stated, and the row so far."""

    received: Received
    context: Context
    statement: Statement
    row: dict[str, Any] = field(default_factory=dict)

    @property
    def flags(self) -> set[str]:
        return self.statement.flags


@dataclass(frozen=True, slots=True)
class Accepted:
    """A row of events by column: times are microseconds, days days since 1970, the key bytes."""

    row: dict[str, Any]

    @property
    def flags(self) -> tuple[str, ...]:
        return tuple(self.row["quality_flags"])


@dataclass(frozen=True, slots=True)
class Rejected:
    """Why the record is set aside; `field` is the column at fault, where one is."""

    reason: Reason
    field: str | None
    detail: str


def judge(received: Received, context: Context) -> Accepted | Rejected:
    """The verdict on one record; the same for every run, whatever the record holds.

    Raises only where the setup is broken (`TidelakeError`) or memory has run out: a fault of ours
    rejects the record as unprocessable, so that it can be replayed and its neighbours go on.
    """
    try:
        _refuse_large(received, context)
        draft = Draft(received, context, _read(received, context))
        for step in STEPS:
            step(draft)
    except Refused as refused:
        return Rejected(refused.reason, refused.field, refused.detail)
    except (TidelakeError, MemoryError):
        raise
    except Exception as exc:
        return unprocessable(exc)
    draft.row["quality_flags"] = sorted(draft.flags)
    return Accepted(draft.row)


def unprocessable(exc: Exception) -> Rejected:
    """The verdict where tidelake itself failed; it names the line, and nothing that was sent."""
    frame = traceback.extract_tb(exc.__traceback__)[-1]
    where = f"{Path(frame.filename).name}:{frame.lineno}"
    detail = f"tidelake failed on it: {type(exc).__name__} at {where}"
    return Rejected(Reason.UNPROCESSABLE, None, detail)


def _refuse_large(received: Received, context: Context) -> None:
    limit = context.rules.max_event_bytes
    if len(received.body) > limit:
        detail = f"has {len(received.body):,} bytes, more than {limit:,}"
        raise Refused(Reason.TOO_LARGE, None, detail)


def _read(received: Received, context: Context) -> Statement:
    reader = READERS.get(received.format)
    if reader is None:
        detail = f"the format {shown(received.format)} is not one of {', '.join(READERS)}"
        raise Refused(Reason.UNKNOWN_MESSAGE, "format", detail)
    return reader(received, context)


def identify(draft: Draft) -> None:
    """Checks the ids and makes the event's key of them."""
    columns = draft.statement.columns
    event_id = _required_text(draft, "event_id", "event_id")
    received = draft.received
    draft.row["event_key"] = event_key(
        received.format,
        received.envelope.project,
        draft.statement.identity or event_id,
        received.body,
    )
    for column in ID_COLUMNS:
        if isinstance(value := columns.get(column), str):
            _refuse_long(draft, column, value)
            if not value:  # an empty id names nobody
                del columns[column]
    if draft.statement.user_required:
        _require_user(draft)


def name_type(draft: Draft) -> None:
    """Resolves the type as sent to one of the registry; unknown ones are kept and flagged."""
    sent = _required_text(draft, "event_name", "event_type")
    _refuse_long(draft, "event_name", sent, at="event_type")
    name = text_of("event_name", sent, draft.flags)
    known_as = draft.statement.columns.pop("event_type", name)
    event_type, known = draft.context.rules.registry.resolve(known_as)
    if not known:
        draft.flags.add(Flag.UNKNOWN_TYPE)
    draft.row["event_type"] = event_type


def tell_time(draft: Draft) -> None:
    """Sets event_time and event_day; a time too far from received_at refuses the record."""
    received_at = draft.received.received_at
    time, day_time = draft.statement.time, draft.statement.day_time
    if time is None:
        if draft.statement.time_required:
            raise Refused(Reason.MISSING_FIELD, "event_time", "timestamp is missing")
        draft.flags.add(Flag.NO_TIMESTAMP)
        draft.row |= {"event_time": received_at, "event_day": 0}
        return
    place_in_time(time, received_at, draft.context.rules)
    day = (time if day_time is None else day_time) // DAY_US
    draft.row |= {"event_time": time, "event_day": day}


def fill(draft: Draft) -> None:
    """Fills every column that the client stated, and those that only tidelake knows."""
    received, statement = draft.received, draft.statement
    contract = draft.context.contract
    for column, value in statement.columns.items():
        draft.row[column] = typed(contract[column], value, draft.flags)
    draft.row |= {
        "received_at": received.received_at,
        "source": received.source,
        "source_position": received.source_position,
        "format": received.format,
        "project": received.envelope.project,
        "envelope": received.envelope.text,
        "items": statement.items,
        "traits": statement.traits,
        "_doc": statement.doc,
        "_rest": statement.rest,
        "_doc_at": statement.doc_at,
    }


def enrich(draft: Draft) -> None:
    """Browser, system and place, where the record states none and the request or IP tell."""
    stated = draft.statement.user_agent
    describe_request(
        draft.row, draft.flags, stated, draft.received.envelope, draft.context.rules.country
    )


STEPS: tuple[Callable[[Draft], None], ...] = (identify, name_type, tell_time, fill, enrich)


def _required_text(draft: Draft, column: str, at: str) -> str:
    """The text of a required column; `at` is the column that a refusal names."""
    value = draft.statement.columns.get(column)
    name = draft.statement.names.get(column, column)
    if value is None or value == "":
        detail = f"{name} is {'missing' if value is None else 'empty'}"
        raise Refused(Reason.MISSING_FIELD, at, detail)
    if not isinstance(value, str):
        raise Refused(Reason.WRONG_TYPE, at, f"{name} is {shown(value)}, not text")
    return value


def _refuse_long(draft: Draft, column: str, value: str, at: str = "") -> None:
    size = len(value.encode("utf-8", "surrogatepass"))
    if size > MAX_ID_BYTES:
        name = draft.statement.names.get(column, column)
        detail = f"{name} has {size:,} bytes, more than {MAX_ID_BYTES}"
        raise Refused(Reason.TOO_LONG, at or column, detail)


def _require_user(draft: Draft) -> None:
    columns, names = draft.statement.columns, draft.statement.names
    user, anonymous = columns.get("user_id"), columns.get("anonymous_id")
    if isinstance(user, str) or isinstance(anonymous, str):
        return
    user_name = names.get("user_id", "user_id")
    anonymous_name = names.get("anonymous_id", "anonymous_id")
    for column, name, value in (
        ("user_id", user_name, user),
        ("anonymous_id", anonymous_name, anonymous),
    ):
        if value is not None:
            raise Refused(Reason.WRONG_TYPE, column, f"{name} is {shown(value)}, not text")
    detail = f"neither {user_name} nor {anonymous_name} is there"
    raise Refused(Reason.MISSING_FIELD, "user_id", detail)
