"""Funnel and retention: how far visits get, and who comes back."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import streamlit as st

from tidelake.dashboard import charts, formats, markup
from tidelake.dashboard.countries import country_name
from tidelake.dashboard.formats import number, percent, ratio
from tidelake.dashboard.markup import Card, Column, FunnelStep, Heat
from tidelake.dashboard.period import where
from tidelake.dashboard.view import View

COHORTS = 10  # weeks that are shown
LONGEST = 8  # weeks after the first

STEPS = f"""
    select step, any_value(step_name) as step_name, sum(sessions)::bigint as sessions
    from gold.funnel where {where()} group by step order by step
"""
CONVERSION = f"""
    select day, sum(converted) / nullif(sum(sessions), 0) as value
    from gold.sessions_by_day where {where()} group by day
"""
BY_COUNTRY = f"""
    select country, coalesce(sum(sessions) filter (step = 1), 0)::bigint as sessions,
        sum(sessions) filter (step = 2) / nullif(sum(sessions) filter (step = 1), 0) as viewed,
        sum(sessions) filter (step = 3) / nullif(sum(sessions) filter (step = 1), 0) as cart,
        sum(sessions) filter (step = 4) / nullif(sum(sessions) filter (step = 1), 0) as checkout,
        sum(sessions) filter (step = 5) / nullif(sum(sessions) filter (step = 1), 0) as bought
    from gold.funnel where {where()} group by country order by sessions desc, country limit 10
"""
BY_DEVICE = f"""
    select device_type, sum(sessions)::bigint as sessions,
        sum(converted) / nullif(sum(sessions), 0) as conversion,
        sum(bounces) / nullif(sum(sessions), 0) as bounce_rate,
        sum(duration_s) / nullif(sum(sessions), 0) as duration_s
    from gold.sessions_by_day where {where()} group by device_type
    having sum(sessions) > 0 order by sessions desc, device_type limit 12
"""
RETENTION = """
    select cohort_week, weeks_after, sum(visitors)::bigint as visitors from gold.retention
    where cohort_week between $from_week and $last and weeks_after <= $longest
        and ($project = '' or project = $project) and ($country = '' or country = $country)
    group by cohort_week, weeks_after order by cohort_week desc, weeks_after
"""


def draw(view: View) -> None:
    """Draws the page."""
    steps, before = view.rows(STEPS), _sessions(view.rows_before(STEPS))
    cards = view.cards(
        lambda days, earlier: _cards(
            view.rows_of(days, STEPS), _sessions(view.rows_of(earlier, STEPS))
        )
    )
    st.html(markup.cards(cards, view.compared))
    left, right = st.columns([5, 4], gap="large")
    with left:
        detail = "Sessions that came as far as this step, without bots."
        if view.filters.before is not None:
            detail += " The line in a bar is the period before."
        st.html(markup.heading("Funnel", detail))
        st.html(markup.funnel(_steps(steps, before), compared=view.compared))
    with right:
        st.html(markup.heading("Conversion by day", "Sessions with a purchase"))
        view.trend(
            CONVERSION, "Conversion", name="Conversion by day", unit=charts.SHARE, empty=None
        )
    _retention(view)
    left, right = st.columns([5, 4], gap="large")
    with left:
        st.html(markup.heading("Funnel by country", "Share of sessions that reach each step"))
        st.html(markup.table(view.rows(BY_COUNTRY), _COUNTRY_COLUMNS, name="Funnel by country"))
    with right:
        st.html(markup.heading("By device", "Kind of device of a session’s first event"))
        st.html(markup.table(view.rows(BY_DEVICE), _DEVICE_COLUMNS, name="Sessions by device"))


_COUNTRY_COLUMNS = (
    Column("country", "Country", country_name, right=False),
    Column("sessions", "Sessions", number),
    Column("viewed", "Product", percent),
    Column("cart", "Cart", percent),
    Column("checkout", "Checkout", percent),
    Column("bought", "Purchase", percent, bar=True),
)
_DEVICE_COLUMNS = (
    Column("device_type", "Device", right=False),
    Column("sessions", "Sessions", number, bar=True),
    Column("conversion", "Conversion", percent),
    Column("bounce_rate", "Bounce rate", percent),
    Column("duration_s", "Average length", formats.duration),
)


def _cards(steps: list[dict[str, Any]], before: dict[int, int]) -> list[Card]:
    if not steps:
        return [Card("Sessions", "0", key="step_1")]
    first, first_before = steps[0]["sessions"], before.get(1)
    found = [
        Card("Sessions", number(first), formats.change(first, first_before), key="step_1"),
    ]
    for row in steps[1:]:
        share, earlier = ratio(row["sessions"], first), ratio(before.get(row["step"]), first_before)
        moved = share - earlier if share is not None and earlier is not None else None
        label, note = f"Reach {row['step_name'].lower()}", f"{number(row['sessions'])} sessions"
        found.append(
            Card(label, percent(share), moved, points=True, note=note, key=f"step_{row['step']}")
        )
    return found


def _sessions(steps: list[dict[str, Any]]) -> dict[int, int]:
    return {row["step"]: row["sessions"] for row in steps}


def _steps(rows: list[dict[str, Any]], before: dict[int, int]) -> list[FunnelStep]:
    found: list[FunnelStep] = []
    for place, row in enumerate(rows):
        share = ratio(row["sessions"], rows[0]["sessions"]) or 0
        lost = ""
        if place:
            kept = ratio(row["sessions"], rows[place - 1]["sessions"])
            lost = f"{percent(kept)} of the step before"
        ghost = ratio(before.get(row["step"]), before.get(1))
        found.append(
            FunnelStep(
                row["step_name"].capitalize(),
                share,
                number(row["sessions"]),
                percent(share),
                lost,
                ghost,
            )
        )
    return found


def _retention(view: View) -> None:
    last = view.filters.period.last
    week = last - timedelta(days=last.weekday())
    rows = view.rows(RETENTION, from_week=week - timedelta(weeks=COHORTS - 1), longest=LONGEST)
    cohorts: dict[date, dict[int, int]] = {}
    for row in rows:
        cohorts.setdefault(row["cohort_week"], {})[row["weeks_after"]] = row["visitors"]
    st.html(
        markup.heading(
            "Retention by weekly cohort",
            f"Visitors whose first event fell into a week, and the share of them seen again in the "
            f"weeks after it. The last {COHORTS} weeks up to {formats.day(last)}; weeks that are "
            "not over are dotted.",
        )
    )
    if not cohorts:
        st.html(markup.nothing())
        return
    st.html(markup.cards(_returned(cohorts, view.filters.today)))
    weeks = max(after for found in cohorts.values() for after in found)
    columns = ["Week 0", *(f"+{after}" for after in range(1, weeks + 1))]
    lines = [
        (
            formats.days(start, start + timedelta(days=6)),
            f"{number(found.get(0, 0))} new",
            [_cell(start, after, found, view.filters.today) for after in range(weeks + 1)],
        )
        for start, found in cohorts.items()
    ]
    st.html(markup.heat_map("Cohort", columns, lines, name="Retention by weekly cohort"))


def _cell(start: date, after: int, found: dict[int, int], today: date) -> Heat:
    visitors, size = found.get(after), found.get(0)
    begins = start + timedelta(weeks=after)
    if begins > today or not size:
        return Heat(None)
    share = (visitors or 0) / size
    shown = "100%" if after == 0 else percent(share)
    title = f"{number(visitors or 0)} of {number(size)} visitors"
    return Heat(share, shown, title, unfinished=not _over(begins, today))


def _over(begins: date, today: date) -> bool:
    return begins + timedelta(days=6) < today


def _returned(cohorts: dict[date, dict[int, int]], today: date) -> list[Card]:
    """Share seen again after some weeks, over all cohorts for which that week is over."""
    found = []
    for after in (1, 2, 4, 8):
        known = [
            (visitors.get(after, 0), visitors[0])
            for start, visitors in cohorts.items()
            if visitors.get(0) and _over(start + timedelta(weeks=after), today)
        ]
        share = ratio(sum(seen for seen, _ in known), sum(size for _, size in known))
        weeks = "1 week" if after == 1 else f"{after} weeks"
        note = f"{len(known)} cohort{'s' if len(known) != 1 else ''}"
        found.append(Card(f"Back after {weeks}", percent(share), note=note, key=f"week_{after}"))
    return found
