"""Acquisition: where sessions come from, and what they search and find."""

from __future__ import annotations

from typing import Any

import streamlit as st

from tidelake.dashboard import charts, formats, markup
from tidelake.dashboard.charts import Point
from tidelake.dashboard.formats import change, number, percent, ratio
from tidelake.dashboard.markup import Bar, Card, Column
from tidelake.dashboard.period import cut, where
from tidelake.dashboard.view import View

SOURCES = 5  # that get a line of their own
OTHERS = "All others"

TOTALS = f"""
    select coalesce(sum(sessions), 0)::bigint as sessions,
        coalesce(sum(sessions) filter (referrer = 'direct' and campaign_source = ''), 0)::bigint
            as direct,
        coalesce(sum(sessions) filter (campaign_source <> ''), 0)::bigint as campaign,
        coalesce(sum(converted), 0)::bigint as converted,
        coalesce(sum(bounces), 0)::bigint as bounces,
        count(distinct referrer) as referrers
    from gold.acquisition where {where()}
"""
REFERRERS = f"""
    select referrer, sum(sessions)::bigint as sessions,
        sum(sessions) / sum(sum(sessions)) over () as share,
        sum(bounces) / nullif(sum(sessions), 0) as bounce_rate,
        sum(converted) / nullif(sum(sessions), 0) as conversion
    from gold.acquisition where {where()} group by referrer having sum(sessions) > 0
    order by sessions desc, referrer limit 12
"""
CAMPAIGNS = f"""
    select campaign_name, campaign_source || ' / ' || campaign_medium as channel,
        sum(sessions)::bigint as sessions, sum(converted)::bigint as converted,
        sum(converted) / nullif(sum(sessions), 0) as conversion,
        sum(bounces) / nullif(sum(sessions), 0) as bounce_rate
    from gold.acquisition where {where()} and (campaign_source <> '' or campaign_name <> '')
    group by all having sum(sessions) > 0 order by sessions desc, campaign_name limit 12
"""
# The others are added up where they lie: there may be as many as there are visitors.
BY_DAY = f"""
    with sources as (
        select referrer from gold.acquisition where {where()} group by referrer
        having sum(sessions) > 0 order by sum(sessions) desc, referrer limit {SOURCES}
    )
    select day, sources.referrer, sum(sessions)::bigint as sessions
    from gold.acquisition left join sources using (referrer) where {where()} group by all
"""
PAGES = f"""
    select {cut("page_path")} as label, sum({{}})::bigint as value from gold.top_pages
    where {where()} group by label having value > 0 order by value desc, label limit 8
"""
SEARCHES = f"""
    select {cut("query")} as label, sum(searches)::bigint as value from gold.searches
    where {where()} group by label order by value desc, label limit 8
"""


def draw(view: View) -> None:
    """Draws the page."""
    cards = view.cards(
        lambda days, before: _cards(view.row_of(days, TOTALS), view.row_of(before, TOTALS))
    )
    st.html(markup.cards(cards, view.compared))
    referrers = view.rows(REFERRERS)
    st.html(
        markup.heading(
            "Sessions by source", "Referring site of a session’s first event that has one"
        )
    )
    _by_day(view, [row["referrer"] for row in referrers[:SOURCES]])
    left, right = st.columns(2, gap="large")
    with left:
        st.html(markup.heading("Sources"))
        st.html(markup.table(referrers, _REFERRER_COLUMNS, name="Sources"))
    with right:
        st.html(markup.heading("Campaigns"))
        st.html(markup.table(view.rows(CAMPAIGNS), _CAMPAIGN_COLUMNS, name="Campaigns"))
    for column, (title, of, sql) in zip(
        st.columns(3, gap="large"),
        (
            ("Entry pages", "Sessions", PAGES.format("entries")),
            ("Exit pages", "Sessions", PAGES.format("exits")),
            ("Searches", "Searches", SEARCHES),
        ),
        strict=True,
    ):
        with column:
            st.html(markup.heading(title))
            items = [
                Bar(row["label"], row["value"], number(row["value"])) for row in view.rows(sql)
            ]
            st.html(markup.bars(items, name="Query" if sql is SEARCHES else "Page", of=of))


_REFERRER_COLUMNS = (
    Column("referrer", "Source", right=False),
    Column("sessions", "Sessions", number, bar=True),
    Column("share", "Share", percent),
    Column("bounce_rate", "Bounce rate", percent),
    Column("conversion", "Conversion", percent),
)
_CAMPAIGN_COLUMNS = (
    Column("campaign_name", "Campaign", lambda name: name or formats.NONE, right=False),
    Column("channel", "Source / medium", right=False),
    Column("sessions", "Sessions", number, bar=True),
    Column("converted", "Converted", number),
    Column("conversion", "Conversion", percent),
)


def _cards(now: dict[str, Any], before: dict[str, Any]) -> list[Card]:
    def share(label: str, part: str, good: str) -> Card:
        found, earlier = ratio(now[part], now["sessions"]), None
        if before:
            earlier = ratio(before[part], before["sessions"])
        moved = found - earlier if found is not None and earlier is not None else None
        return Card(label, percent(found), moved, points=True, good=good, key=part)

    return [
        Card("Sessions", number(now["sessions"]), change(now["sessions"], before.get("sessions")),
             key="sessions"),
        share("Direct", "direct", "neither"),
        share("From campaigns", "campaign", "neither"),
        share("Conversion", "converted", "up"),
        share("Bounce rate", "bounces", "down"),
        Card("Sources", number(now["referrers"]), change(now["referrers"], before.get("referrers")),
             good="neither", key="referrers"),
    ]  # fmt: skip


def _by_day(view: View, named: list[str]) -> None:
    found: dict[str, dict[Any, int]] = {}
    for row in view.rows(BY_DAY):
        series = OTHERS if row["referrer"] is None else formats.name(row["referrer"])
        found.setdefault(series, {})[row["day"]] = row["sessions"]
    order = [series for series in (*map(formats.name, named), OTHERS) if series in found]
    points = [
        Point(day, found[series].get(day, 0), series)
        for series in order
        for day in charts.moments(view.filters.period)
    ]
    if points:
        charts.stacked(points, name="Sessions by source and day", order=order, counted="Sessions")
    else:
        st.html(markup.nothing())
