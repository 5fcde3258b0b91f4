"""Moments as people write them: ISO 8601, or how long ago."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta

from tidelake.errors import UsageError

UNITS = {
    **dict.fromkeys(("s", "sec", "second", "seconds"), timedelta(seconds=1)),
    **dict.fromkeys(("m", "min", "minute", "minutes"), timedelta(minutes=1)),
    **dict.fromkeys(("h", "hour", "hours"), timedelta(hours=1)),
    **dict.fromkeys(("d", "day", "days"), timedelta(days=1)),
    **dict.fromkeys(("w", "week", "weeks"), timedelta(weeks=1)),
}
AGO = re.compile(r"(?:(\d+(?:\.\d+)?)|an?)\s*([a-z]+)(?:\s+ago)?", re.IGNORECASE)


def moment(text: str, now: datetime) -> datetime:
    """The time that a text means, UTC where it states no zone; raises `UsageError` for others.

    ISO 8601 (`2026-11-23`, `2026-11-23T10:15:00+01:00`), `now`, `today`, `yesterday`, or how long
    ago: `10 minutes ago`, `1h`, `an hour ago`.
    """
    found = maybe_moment(text, now)
    if found is None:
        raise UsageError(
            f"{text!r} is no time", hint="Write 2026-11-23T10:15, yesterday, 10 minutes ago, or 2h."
        )
    return found


def maybe_moment(text: str, now: datetime) -> datetime | None:
    """As `moment`, None for what is no time."""
    words = text.strip().lower()
    midnight = datetime.combine(now.astimezone(UTC).date(), time(), UTC)
    named = {"now": now, "today": midnight, "yesterday": midnight - timedelta(days=1)}
    if words in named:
        return named[words]
    if (ago := AGO.fullmatch(words)) and ago[2] in UNITS:
        return now - float(ago[1] or 1) * UNITS[ago[2]]
    # Digits alone are a snapshot id, also where ISO 8601 could read a date in them.
    if words.isdigit():
        return None
    try:
        stated = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return stated if stated.tzinfo else stated.replace(tzinfo=UTC)
