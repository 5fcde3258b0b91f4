"""Which days, project and country a page is about, and the days before to compare them with."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any

from tidelake.dashboard import formats

LONGEST_TEXT = 300  # letters of one value that a page shows
ALL = ""  # every project, every country

PRESETS = {"Today": 1, "Last 7 days": 7, "Last 28 days": 28, "Last 90 days": 90}
ALL_TIME = "All time"
CUSTOM = "Custom range"
PERIODS = (*PRESETS, ALL_TIME, CUSTOM)
DEFAULT_PERIOD = "Last 28 days"


@dataclass(frozen=True, slots=True)
class Period:
    """Days from `first` to `last`, both inclusive."""

    first: date
    last: date

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    def before(self) -> Period:
        """As many days, up to the day before the first."""
        return Period(self.first - timedelta(days=self.days), self.first - timedelta(days=1))


@dataclass(frozen=True, slots=True)
class Filters:
    """What every page of gold is asked for. `known_from` is the first day with an event, `as_of`
    the moment up to which gold knows, in the reporting zone and without it."""

    period: Period
    as_of: datetime
    project: str = ALL
    country: str = ALL
    compare: bool = True
    known_from: date | None = None

    @property
    def today(self) -> date:
        return self.as_of.date()

    @property
    def unfinished(self) -> bool:
        """The last day of the period is not over."""
        return self.period.last >= self.today

    @property
    def over(self) -> Filters | None:
        """The same for those days of the period that are over; none where none is."""
        end = min(self.period.last, self.today - timedelta(days=1))
        if end < self.period.first:
            return None
        return replace(self, period=Period(self.period.first, end))

    @property
    def previous(self) -> Filters | None:
        """The same for the whole period before; none where it is not wanted or not known."""
        days = self.period.before()
        reaches = self.known_from is not None and days.first >= self.known_from
        return replace(self, period=days) if self.compare and reaches else None

    @property
    def before(self) -> Filters | None:
        """What the days that are `over` are compared with: as many, from the start of `previous`.

        An unfinished day beside a whole one would look like a fall every morning. Place by place
        the days keep their weekdays, in periods of whole weeks.
        """
        over, previous = self.over, self.previous
        if over is None or previous is None:
            return None
        first = previous.period.first
        return replace(self, period=Period(first, first + timedelta(days=over.period.days - 1)))

    @property
    def known_days(self) -> int:
        """Days of the period that gold can know of: from the first with an event up to today. One
        without traffic is a day as well."""
        first = max(self.period.first, self.known_from or self.period.first)
        return max((min(self.period.last, self.today) - first).days + 1, 0)

    @property
    def compared(self) -> str:
        """What the changes compare, in words; empty where nothing is compared."""
        before, over = self.before, self.over
        if before is None or over is None:
            return ""
        earlier = formats.days(before.period.first, before.period.last)
        if not self.unfinished:
            return f"compared with {earlier}"
        return (
            f"changes compare the {formats.counted(over.period.days, 'whole day')} with {earlier}"
        )

    @property
    def uncompared(self) -> str:
        """Why there is nothing to compare with, where a comparison is wanted."""
        if not self.compare or self.before is not None:
            return ""
        if self.previous is not None:
            return "a day is compared when it is over"
        return "no earlier days to compare with"

    @property
    def hours_over(self) -> int:
        """How many hours of an unfinished period are over, by the clock of the reporting zone."""
        end = min(self.as_of, _midnight(self.period.last + timedelta(days=1)))
        return max(0, int((end - _midnight(self.period.first)) / timedelta(hours=1)))

    @property
    def parameters(self) -> dict[str, Any]:
        """For a query that holds `where()`."""
        return {
            "first": self.period.first,
            "last": self.period.last,
            "project": self.project,
            "country": self.country,
        }


def cut(column: str) -> str:
    """A text as far as a page shows it: texts of any length are sent, and to group by whole ones
    would cost the memory of all of them."""
    return f"left({column}, {LONGEST_TEXT + 1})"  # one more: it is seen that there is more


def where(*, day: str = "day", country: bool = True) -> str:
    """The condition of a query on the filters; tables without a country leave that out."""
    terms = [f"{day} between $first and $last", "($project = '' or project = $project)"]
    if country:
        terms.append("($country = '' or country = $country)")
    return " and ".join(terms)


def period_of(
    name: str,
    first_day: date,
    last_day: date,
    today: date,
    custom: tuple[date, ...] = (),
) -> Period:
    """The days that a choice means.

    They end today, or on the last day with an event where that lies back: an import of last year
    must not show an empty page. They begin with the first day with an event at the earliest. A
    custom range that is half chosen is its first day alone.
    """
    if name == CUSTOM and custom:
        return Period(custom[0], custom[-1])
    end = min(today, last_day)
    start = end - timedelta(days=PRESETS[name] - 1) if name in PRESETS else first_day
    return Period(min(max(start, first_day), end), end)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time())
