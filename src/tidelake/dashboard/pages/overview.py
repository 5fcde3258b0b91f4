"""Overview: how the business does, on one page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import streamlit as st

from tidelake.dashboard import charts, formats, markup
from tidelake.dashboard.charts import Point
from tidelake.dashboard.countries import country_name
from tidelake.dashboard.formats import change, ratio
from tidelake.dashboard.markup import Bar, Card
from tidelake.dashboard.period import Filters, cut, where
from tidelake.dashboard.view import View

LONGEST = 7  # lines of a list
CURRENCIES = 3  # that get a card of their own

TRAFFIC = f"""
    select sum(events)::bigint as events, sum(page_views)::bigint as page_views,
        sum(visitors)::bigint as visitors, sum(new_visitors)::bigint as new_visitors
    from gold.daily_traffic where {where()}
"""
SESSIONS = f"""
    select sum(sessions)::bigint as sessions, sum(bounces)::bigint as bounces,
        sum(converted)::bigint as converted, sum(duration_s) as duration_s,
        sum(page_views)::bigint as page_views
    from gold.sessions_by_day where {where()}
"""
# A product's page is sent as a product view, and as no page view beside it.
PRODUCT_VIEWS = f"""
    select coalesce(sum(events), 0)::bigint as product_views from gold.engagement_by_type
    where {where()} and event_type = 'product_view'
"""
REVENUE = f"""
    select currency, sum(revenue) as revenue, sum(orders)::bigint as orders
    from gold.revenue_by_day where {where()} group by currency order by orders desc, currency
    limit {10 * CURRENCIES}
"""
DAILY = {
    "Visitors": ("daily_traffic", "visitors"),
    "Sessions": ("sessions_by_day", "sessions"),
    "Page views": ("daily_traffic", "page_views"),
    "Events": ("daily_traffic", "events"),
}


@dataclass(frozen=True, slots=True)
class Top:
    """A list of the most: its heading, the names of its columns, and where they come from."""

    title: str
    name: str
    of: str
    table: str
    column: str
    measure: str
    named: Callable[[str], str] = str


LISTS = (
    Top("Countries", "Country", "Visitors", "daily_traffic", "country", "visitors", country_name),
    Top("Pages", "Path", "Views", "top_pages", "page_path", "views"),
    Top("Where sessions come from", "Source", "Sessions", "acquisition", "referrer", "sessions"),
    Top("What visitors do", "Event", "Events", "engagement_by_type", "event_type", "events"),
)
HOURLY = f"""
    select hour, sum(events)::bigint as value from gold.events_by_hour
    where {where(day="hour::date")} group by hour
"""
FIRST_HOURS = f"""
    select sum(events)::bigint as events from gold.events_by_hour
    where {where(day="hour::date")} and hour < $first::timestamp + $hours * interval '1 hour'
"""


def draw(view: View) -> None:
    """Draws the page."""
    st.html(markup.cards(_cards(view), view.compared))
    _traffic(view)
    for pair in (LISTS[:2], LISTS[2:]):
        for column, top in zip(st.columns(2, gap="large"), pair, strict=True):
            with column:
                _draw_top(view, top)


def _cards(view: View) -> list[Card]:
    found = view.cards(partial(_figures, view))
    hours = view.filters.hours_over
    if view.filters.over is not None or view.filters.previous is None or not hours:
        return found
    # Only events are counted by hour: of a day that is not over, they alone can be compared.
    now, earlier = (
        view.row_of(days, FIRST_HOURS, hours=hours)["events"]
        for days in (view.filters, view.filters.previous)
    )
    note = f"change up to {hours:02d}:00"
    return [
        replace(card, change=change(now, earlier), note=note) if card.key == "events" else card
        for card in found
    ]


def _figures(view: View, days: Filters, days_before: Filters | None) -> list[Card]:
    now, before = view.row_of(days, TRAFFIC), view.row_of(days_before, TRAFFIC)
    visits, visits_before = _visits(view, days), _visits(view, days_before)
    found = [
        _counted(
            "Visitors a day", "visitors_a_day", _a_day(now, days), _a_day(before, days_before)
        ),
        _counted("New visitors", "new_visitors", now["new_visitors"], before.get("new_visitors")),
        _counted("Sessions", "sessions", visits["sessions"], visits_before.get("sessions")),
        _share("Conversion", "conversion", "converted", visits, visits_before, "up"),
        _share("Bounce rate", "bounce_rate", "bounces", visits, visits_before, "down"),
        _length(visits, visits_before),
    ]
    revenue_before = {row["currency"]: row["revenue"] for row in view.rows_of(days_before, REVENUE)}
    for row in view.rows_of(days, REVENUE)[:CURRENCIES]:
        currency = row["currency"]
        found.append(
            Card(
                f"Revenue, {formats.code(currency)}",
                formats.money(row["revenue"], currency),
                change(row["revenue"], revenue_before.get(currency)),
                note=f"{formats.number(row['orders'])} orders",
                key=f"revenue_{currency}",
            )
        )
    found += [
        _counted("Events", "events", now["events"], before.get("events")),
        _counted("Page views", "page_views", now["page_views"], before.get("page_views")),
        _pages(visits, visits_before),
    ]
    return found


def _visits(view: View, days: Filters | None) -> dict[str, Any]:
    return {**view.row_of(days, SESSIONS), **view.row_of(days, PRODUCT_VIEWS)}


def _a_day(row: dict[str, Any], days: Filters | None) -> float | None:
    """Visitors are distinct within a day: days are averaged, never added up."""
    return ratio(row.get("visitors"), days.known_days if days else None)


def _counted(label: str, key: str, now: float | None, before: float | None) -> Card:
    return Card(label, formats.number(now or 0), change(now, before), key=key)


def _length(now: dict[str, Any], before: dict[str, Any]) -> Card:
    seconds = ratio(now["duration_s"], now["sessions"])
    moved = change(seconds, ratio(before.get("duration_s"), before.get("sessions")))
    return Card("Session length", formats.duration(seconds), moved, key="session_length")


def _pages(now: dict[str, Any], before: dict[str, Any]) -> Card:
    pages, earlier = _pages_a_session(now), _pages_a_session(before)
    return Card("Pages per session", formats.number(pages, 1), change(pages, earlier),
                note="with product views", key="pages_per_session")  # fmt: skip


def _pages_a_session(visits: dict[str, Any]) -> float | None:
    if not visits or visits["page_views"] is None:
        return None
    return ratio(visits["page_views"] + visits["product_views"], visits["sessions"])


def _share(
    label: str, key: str, part: str, now: dict[str, Any], before: dict[str, Any], good: str
) -> Card:
    share, share_before = ratio(now[part], now["sessions"]), None
    if before:
        share_before = ratio(before[part], before["sessions"])
    moved = share - share_before if share is not None and share_before is not None else None
    return Card(label, formats.percent(share), moved, points=True, good=good, key=key)


def _traffic(view: View) -> None:
    line = st.container(
        horizontal=True, horizontal_alignment="distribute", vertical_alignment="bottom"
    )
    if view.hourly:
        line.html(markup.heading("Events by hour", f"Hours in {view.gold.publication.timezone}"))
        _by_hour(view)
        return
    with line:
        head = st.empty()
        measure = st.segmented_control(
            "Measure", list(DAILY), default="Visitors", required=True, key="overview_measure",
            label_visibility="collapsed",
        )  # fmt: skip
    measure = measure or "Visitors"
    detail = "Each visitor once a day" if measure == "Visitors" else f"Days in {_zone(view)}"
    head.html(markup.heading(f"{measure} by day", detail))
    source, column = DAILY[measure]
    value = f"sum({column})::bigint as value"
    sql = f"select day, {value} from gold.{source} where {where()} group by day"
    view.trend(sql, measure, name=f"{measure} by day", unit=charts.COUNT)


def _zone(view: View) -> str:
    return view.gold.publication.timezone


def _by_hour(view: View) -> None:
    found = {row["hour"]: row["value"] for row in view.rows(HOURLY)}
    now = view.hours(found, view.filters.period)
    ghost: list[Point] = []
    previous = view.filters.previous
    if previous is not None:
        earlier = {row["hour"]: row["value"] for row in view.rows_of(previous, HOURLY)}
        ghost = view.hours(earlier, previous.period)
    unfinished = now[-1].at >= view.filters.as_of.replace(minute=0, second=0, microsecond=0)
    charts.trend(now, ghost, name="Events by hour", measure="Events", unfinished=unfinished)


def _draw_top(view: View, top: Top) -> None:
    sql = f"""
        select {cut(top.column)} as label, sum({top.measure})::bigint as value,
            sum(sum({top.measure})) over ()::bigint as total
        from gold.{top.table} where {where()} group by all having value > 0
        order by value desc, label limit {LONGEST}
    """
    items = [
        Bar(
            top.named(row["label"]),
            row["value"],
            formats.number(row["value"]),
            formats.percent(row["value"] / row["total"]),
        )
        for row in view.rows(sql)
    ]
    st.html(markup.heading(top.title))
    # A visitor counts once on each day.
    days = top.measure == "visitors" and view.filters.period.days > 1
    st.html(markup.bars(items, name=top.name, of="Visitor days" if days else top.of))
