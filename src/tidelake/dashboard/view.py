"""What a page gets: the open gold, the filters, and the ways in which every page asks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from tidelake.dashboard import charts, formats
from tidelake.dashboard.charts import Point, Unit
from tidelake.dashboard.gold import Gold
from tidelake.dashboard.live import LiveFacts
from tidelake.dashboard.markup import Card
from tidelake.dashboard.period import Filters, Period

HOURLY_UP_TO_DAYS = 2
# Makes cards of some days, with their changes since other days where those are given.
Figures = Callable[[Filters, Filters | None], Sequence[Card]]


@dataclass(frozen=True, slots=True)
class View:
    """One look at gold."""

    gold: Gold
    filters: Filters
    live: LiveFacts

    @property
    def compared(self) -> str:
        """What the changes compare, in words."""
        return self.filters.compared

    @property
    def subtitle(self) -> str:
        period = self.filters.period
        days = formats.counted(period.days, "day")
        if self.filters.unfinished:
            days += " so far" if period.days == 1 else ", the last one so far"
        parts = [
            formats.days(period.first, period.last),
            days,
            self.compared or self.filters.uncompared,
        ]
        return " · ".join(part for part in parts if part)

    def rows(self, sql: str, **more: Any) -> list[dict[str, Any]]:
        return self.rows_of(self.filters, sql, **more)

    def rows_before(self, sql: str, **more: Any) -> list[dict[str, Any]]:
        return self.rows_of(self.filters.before, sql, **more)

    def rows_of(self, days: Filters | None, sql: str, **more: Any) -> list[dict[str, Any]]:
        """Rows of a query for other days than those chosen; nothing for no days."""
        return self.gold.rows(sql, {**days.parameters, **more}) if days else []

    def row_of(self, days: Filters | None, sql: str, **more: Any) -> dict[str, Any]:
        """The one row of a query, such as a sum; empty for no days."""
        return next(iter(self.rows_of(days, sql, **more)), {})

    def cards(self, figures: Figures) -> list[Card]:
        """The figures of all days chosen, each with the change of the days that are over."""
        over, before = self.filters.over, self.filters.before
        if over == self.filters:
            return list(figures(self.filters, before))
        moved = {card.key: card for card in figures(over, before)} if over and before else {}
        return [
            replace(card, change=moved[card.key].change) if card.key in moved else card
            for card in figures(self.filters, None)
        ]

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
        charts.trend(
            now,
            ghost,
            name=name,
            unit=unit,
            measure=measure,
            unfinished=self.filters.unfinished,
        )

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
