"""Web performance: how fast pages are for those who open them.

Percentiles of many days come from the histogram that gold keeps (bins of 5 %, so within 2.5 % of
exact), never from averages of percentiles.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import streamlit as st

from tidelake.dashboard import charts, markup
from tidelake.dashboard.charts import Bin, Point
from tidelake.dashboard.countries import country_name
from tidelake.dashboard.formats import change, milliseconds, number
from tidelake.dashboard.markup import Card, Column
from tidelake.dashboard.period import Filters, where
from tidelake.dashboard.view import View

STEP = 1.05
METRICS = {
    "page_load_time": "Page load",
    "first_contentful_paint": "First contentful paint",
    "dom_interactive": "DOM interactive",
    "network_latency": "Network latency",
}
# https://web.dev/articles/fcp: good up to 1.8 s, poor beyond 3 s, at the 75th percentile.
GOOD_FCP_MS, POOR_FCP_MS = 1800, 3000
LINES = 10  # of a table
MOST_DAYS = 4000
PERCENTILES = ("Slow (95 %)", "Three quarters (75 %)", "Typical (50 %)")


def percentiles(by: str, condition: str = "true", most: int = MOST_DAYS) -> str:
    """A query of samples, p50_ms, p75_ms and p95_ms by the values of a column, the most first."""
    return f"""
        with bins as (
            select {by}, bin, sum(samples)::bigint as samples from gold.web_performance_bins
            where {where()} and {condition} group by {by}, bin
        ), running as (
            select {by}, bin, sum(samples) over (partition by {by} order by bin) as reached,
                sum(samples) over (partition by {by}) as total from bins
        )
        select {by}, any_value(total)::bigint as samples,
            pow({STEP}, min(bin) filter (reached >= 0.50 * total) + 0.5) as p50_ms,
            pow({STEP}, min(bin) filter (reached >= 0.75 * total) + 0.5) as p75_ms,
            pow({STEP}, min(bin) filter (reached >= 0.95 * total) + 0.5) as p95_ms
        from running group by {by} order by samples desc, {by} limit {most}
    """


OF_METRIC = "metric = $metric"
BINS = f"""
    select bin, sum(samples)::bigint as samples from gold.web_performance_bins
    where {where()} and {OF_METRIC} group by bin order by bin
"""


def draw(view: View) -> None:
    """Draws the page."""
    now = _by_metric(view, view.filters)
    st.html(markup.cards(view.cards(partial(_cards, view)), view.compared))
    if not now:
        st.html(markup.nothing("No timing in these days for this choice."))
        return
    titles = {title: name for name, title in METRICS.items()}
    chosen = st.segmented_control(
        "Timing", list(titles), default=METRICS["page_load_time"], required=True, key="timing",
        label_visibility="collapsed",
    )  # fmt: skip
    title = chosen or METRICS["page_load_time"]
    metric = titles[title]
    left, right = st.columns([5, 4], gap="large")
    with left:
        st.html(
            markup.heading(f"{title} by day", "Half, three quarters and 95 % are faster than this")
        )
        _by_day(view, metric, title)
    with right:
        st.html(markup.heading(f"How {title.lower()} is spread", "Share of samples; logarithmic"))
        _spread(view, metric, title, now.get(metric, {}))
    left, right = st.columns(2, gap="large")
    with left:
        st.html(markup.heading(f"{title} by page", "Pages by the first part of their path"))
        _table(view, "page_group", "Page", str, metric)
    with right:
        st.html(markup.heading(f"{title} by country"))
        _table(view, "country", "Country", country_name, metric)


def _by_metric(view: View, days: Filters | None) -> dict[str, Any]:
    return {row["metric"]: row for row in view.rows_of(days, percentiles("metric"))}


def _cards(view: View, days: Filters, days_before: Filters | None) -> list[Card]:
    now, before = _by_metric(view, days), _by_metric(view, days_before)
    return [_card(name, now, before) for name in METRICS]


def _card(name: str, now: dict[str, Any], before: dict[str, Any]) -> Card:
    found, earlier = now.get(name, {}), before.get(name, {})
    value = found.get("p75_ms")
    note = f"{number(found.get('samples', 0))} samples"
    if name == "first_contentful_paint" and value is not None:
        verdict = "Good" if value <= GOOD_FCP_MS else "Poor" if value > POOR_FCP_MS else "Fair"
        note = f"{verdict}; good is up to {milliseconds(GOOD_FCP_MS)}"
    moved = change(value, earlier.get("p75_ms"))
    return Card(
        f"{METRICS[name]}, 75 %", milliseconds(value), moved, good="down", note=note, key=name
    )


def _by_day(view: View, metric: str, title: str) -> None:
    rows = {row["day"]: row for row in view.rows(percentiles("day", OF_METRIC), metric=metric)}
    columns = dict(zip(PERCENTILES, ("p95_ms", "p75_ms", "p50_ms"), strict=True))
    points = [
        Point(day, rows[day][column] if day in rows else None, series)
        for series, column in columns.items()
        for day in charts.moments(view.filters.period)
    ]
    charts.lines(points, name=f"{title} by day", order=PERCENTILES, unit=charts.MILLISECONDS)


def _spread(view: View, metric: str, title: str, found: dict[str, Any]) -> None:
    rows = view.rows(BINS, metric=metric)
    if not rows:
        st.html(markup.nothing())
        return
    bins = [Bin(STEP ** row["bin"], STEP ** (row["bin"] + 1), row["samples"]) for row in rows]
    marked = {label: found[key] for label, key in (("50 %", "p50_ms"), ("75 %", "p75_ms"),
                                                   ("95 %", "p95_ms"))}  # fmt: skip
    charts.distribution(
        bins, name=f"Distribution: {title}", unit=charts.MILLISECONDS, marked=marked
    )


def _table(view: View, by: str, name: str, form: Any, metric: str) -> None:
    columns = (
        Column(by, name, form, right=False),
        Column("samples", "Samples", number),
        Column("p50_ms", "50 %", milliseconds),
        Column("p75_ms", "75 %", milliseconds, bar=True),
        Column("p95_ms", "95 %", milliseconds),
    )
    rows = view.rows(percentiles(by, OF_METRIC, LINES), metric=metric)
    st.html(markup.table(rows, columns, name=f"Timings by {name.lower()}"))
