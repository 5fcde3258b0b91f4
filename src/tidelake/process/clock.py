"""Times as clients write them, as microseconds since 1970 (UTC)."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

from tidelake.event.verdicts import Flag, Reason
from tidelake.process.refusal import Refused, shown
from tidelake.process.rules import DAY_US, Rules

# RFC 3339, and the calendar forms of ISO 8601, extended (2026-11-23T10:15:00.123Z) or basic
# (20261123T101500Z); a date alone is its first moment. Without an offset: UTC.
EXTENDED = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)"
    r"(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?([Zz]|[+-]\d\d(?::?\d\d)?)?)?",
    re.ASCII,
)
BASIC = re.compile(
    r"(\d{4})(\d\d)(\d\d)[Tt](\d\d)(\d\d)(?:(\d\d)(?:[.,](\d+))?)?([Zz]|[+-]\d\d(?::?\d\d)?)?",
    re.ASCII,
)
EPOCH = date(1970, 1, 1).toordinal()
SECONDS_BELOW = 1e11
MILLISECONDS_BELOW = 1e14
MAX_OFFSET_MINUTES = 18 * 60
# A client's clock that is off by less is right, and a slow network no fault of it.
CLOCK_SLACK = 5_000_000


def instant(value: Any) -> int | None:
    """The stated time in microseconds since 1970; None for what is no time.

    Numbers are epoch seconds below 10¹¹ and milliseconds below 10¹⁴; digits in a string are no
    time. Parts of a microsecond are cut off in text and rounded in numbers, whose last digits a
    float can not hold. 24:00 is the next day, second 60 the next minute.
    """
    if isinstance(value, str):
        form = EXTENDED.fullmatch(value) or BASIC.fullmatch(value)
        return _from_parts(*form.groups()) if form else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    number: int | float = value
    if 0 <= number < SECONDS_BELOW:
        return round(number * 1_000_000)
    return round(number * 1_000) if 0 <= number < MILLISECONDS_BELOW else None


def placed_by_clock(
    stated: int, sent: int | None, received_at: int, rules: Rules, flags: set[str]
) -> int:
    """The stated time, moved by how far the client's clock was off when it sent (Segment's rule).

    `sent` is when the client says it sent. It is ignored where it is no time, where it lies before
    the event itself, and where it would move a possible time to an impossible one.
    """
    if sent is None or sent < stated - CLOCK_SLACK:
        flags.add(Flag.CLOCK_IGNORED)
        return stated
    corrected = stated + received_at - sent
    if is_possible(stated, received_at, rules) and not is_possible(corrected, received_at, rules):
        flags.add(Flag.CLOCK_IGNORED)
        return stated
    if abs(corrected - stated) > CLOCK_SLACK:
        flags.add(Flag.CLOCK_CORRECTED)
    return corrected


def is_possible(time: int, received_at: int, rules: Rules) -> bool:
    return received_at - rules.max_age <= time <= received_at + rules.max_ahead


def place_in_time(time: int, received_at: int, rules: Rules) -> None:
    """Raises `Refused` where a time is too far from the time of receipt, never from now."""
    if time > received_at + rules.max_ahead:
        days = (time - received_at) / DAY_US
        raise Refused(Reason.TOO_LATE, "event_time", f"lies {days:.1f} days after it was received")
    if time < received_at - rules.max_age:
        days = (received_at - time) / DAY_US
        raise Refused(
            Reason.TOO_EARLY, "event_time", f"lies {days:.1f} days before it was received"
        )


def stated_time(name: str, value: Any) -> int:
    """The time in member `name`; raises `Refused` where it is none."""
    time = instant(value)
    if time is not None:
        return time
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        detail = f"{name} is {shown(value)}, neither ISO 8601 nor epoch seconds or milliseconds"
        raise Refused(Reason.BAD_TIMESTAMP, "event_time", detail)
    detail = f"{name} is {shown(value)}, neither text nor a number"
    raise Refused(Reason.WRONG_TYPE, "event_time", detail)


def _from_parts(
    year: str,
    month: str,
    day: str,
    hour: str | None,
    minute: str | None,
    second: str | None,
    fraction: str | None,
    offset: str | None,
) -> int | None:
    try:
        days = date(int(year), int(month), int(day)).toordinal() - EPOCH
    except ValueError:
        return None
    h, m, s = int(hour or 0), int(minute or 0), int(second or 0)
    micros = int((fraction or "")[:6].ljust(6, "0"))
    if h > 24 or m > 59 or s > 60 or (h == 24 and (m or s or micros)):
        return None
    minutes = _offset_minutes(offset)
    if abs(minutes) > MAX_OFFSET_MINUTES:
        return None
    return days * DAY_US + ((h * 60 + m - minutes) * 60 + s) * 1_000_000 + micros


def _offset_minutes(offset: str | None) -> int:
    if offset is None or offset in "Zz":
        return 0
    hours, minutes = int(offset[1:3]), int(offset[3:].lstrip(":") or 0)
    if minutes > 59:
        return MAX_OFFSET_MINUTES + 1
    return (hours * 60 + minutes) * (-1 if offset[0] == "-" else 1)
