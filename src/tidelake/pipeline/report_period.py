"""The days that a report is about, and those before to compare them with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

Kind = Literal["daily", "weekly"]

DAYS: dict[Kind, int] = {"daily": 1, "weekly": 7}
TREND_DAYS: dict[Kind, int] = {"daily": 14, "weekly": 8 * 7}


@dataclass(frozen=True, slots=True)
class Period:
    """Days from `first` to `last`, both inclusive, in the reporting time zone."""

    kind: Kind
    first: date
    last: date

    @classmethod
    def holding(cls, kind: Kind, day: date) -> Period:
        """The day itself, or its week from Monday to Sunday."""
        first = day if kind == "daily" else day - timedelta(days=day.weekday())
        return cls(kind, first, first + timedelta(days=DAYS[kind] - 1))

    @classmethod
    def newest(cls, kind: Kind, today: date, last_day: date | None) -> Period:
        """The last one that is over and has events; the one under way where there is none."""
        over = cls.holding(kind, today).before()
        if last_day is None:
            return over
        return over if last_day >= over.last else cls.holding(kind, min(last_day, today))

    def before(self) -> Period:
        """The one right before."""
        length = timedelta(days=DAYS[self.kind])
        return Period(self.kind, self.first - length, self.last - length)

    def trend(self) -> tuple[date, date]:
        """The days of the picture of how it came to this: up to the last one."""
        return self.last - timedelta(days=TREND_DAYS[self.kind] - 1), self.last

    @property
    def name(self) -> str:
        """For file names: `2026-11-23`, `2026-W47`."""
        return self.first.isoformat() if self.kind == "daily" else f"{self.first:%G-W%V}"

    @property
    def title(self) -> str:
        """For people: `Monday, 23 November 2026`; `16 to 22 November 2026 (week 47)`."""
        if self.kind == "daily":
            return f"{self.first:%A}, {_day(self.first)}"
        same = (self.first.year, self.first.month) == (self.last.year, self.last.month)
        first = str(self.first.day) if same else _day(self.first)
        return f"{first} to {_day(self.last)} (week {self.first:%V})"


def _day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"
