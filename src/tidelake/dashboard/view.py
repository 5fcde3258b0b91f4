"""What a page gets: the open gold, the filters, and the ways in which every page asks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from tidelake.dashboard import charts, formats
from tidelake.dashboard.charts import Point, Unit
from tidelake.dashboard.gold import Gold
from tidelake.dashboard.live import LiveFacts
from tidelake.dashboard.period import Filters, Period

HOURLY_UP_TO_DAYS = 2


@dataclass(frozen=True, slots=True)
class View:
    """One look at gold."""

    gold: Gold
    filters: Filters
    live: LiveFacts

    @property
    def compared(self) -> str:
        """What the changes compare with, in words."""
        before = self.filters.before
        if before is None:
            return ""
        return f"compared with {formats.days(before.period.first, before.period.last)}"

    @property
    def uncompared(self) -> str:
        """Why there is nothing to compare with, where a comparison is wanted."""
        if not self.filters.compare or self.filters.before is not None:
            return ""
        return "no earlier days to compare with"

    @property
    def subtitle(self) -> str:
        period = self.filters.period
        days = f"{period.days:,} day{'s' if period.days != 1 else ''}"
        parts = [formats.days(period.first, period.last), days, self.compared or self.uncompared]
        return " · ".join(part for part in parts if part)

    def rows(self, sql: str, **more: Any) -> list[dict[str, Any]]:
        return self.gold.rows(sql, {**self.filters.parameters, **more})

    def rows_before(self, sql: str, **more: Any) -> list[dict[str, Any]]:
        before = self.filters.before
        return self.gold.rows(sql, {**before.parameters, **more}) if before else []

    def both(self, sql: str, **more: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """The one row of a query, for these days and for those before (empty if there are none)."""
        before = self.rows_before(sql, **more)
        return self.rows(sql, **more)[0], before[0] if before else {}

    def trend(
        self,
        sql: str,
        measure: str,
        *,
        name: str,
        unit: Unit,
        empty: float | None = 0,
        **more: Any,
    ) -> None:
        """Draws a query of `day` and `value` over the period, with those before as a ghost.

        `empty` is the value of a day without a row.
        """
        period, before = self.filters.period, self.filters.before
        now = charts.filled(period, _by_day(self.rows(sql, **more)), empty)
        ghost: list[Point] = []
        if before is not None:
            ghost = charts.filled(before.period, _by_day(self.rows_before(sql, **more)), empty)
        unfinished = period.last >= self.filters.today
        charts.trend(now, ghost, name=name, unit=unit, measure=measure, unfinished=unfinished)

    @property
    def hourly(self) -> bool:
        return self.filters.period.days <= HOURLY_UP_TO_DAYS

    def hours(self, found: Mapping[datetime, float], period: Period) -> list[Point]:
        """A point for each hour of the period, up to the last that has events."""
        start = datetime(period.first.year, period.first.month, period.first.day)
        every = [start + timedelta(hours=n) for n in range(24 * period.days)]
        last = max(found, default=start)
        return [Point(at, found.get(at, 0)) for at in every if at <= last]


def _by_day(rows: list[dict[str, Any]]) -> dict[date, float | None]:
    return {row["day"]: row["value"] for row in rows}
