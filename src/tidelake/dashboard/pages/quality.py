"""Data quality: what was rejected, repeated, late or strange, by the day it was received."""

from __future__ import annotations

from typing import Any

import streamlit as st

from tidelake.dashboard import charts, markup
from tidelake.dashboard.charts import Point
from tidelake.dashboard.formats import number, percent, ratio
from tidelake.dashboard.markup import Bar, Card, Column
from tidelake.dashboard.period import cut, where
from tidelake.dashboard.view import View

LINES = 10  # of a table
REASONS = 6  # that get a colour of their own
OTHERS = "all others"

MEANINGS = {
    "not_utf8": "Bytes that are not UTF-8",
    "byte_order_mark": "Starts with a byte order mark",
    "not_json": "Not one whole JSON value",
    "not_an_object": "JSON, but not an object",
    "too_deep": "Nested deeper than 128",
    "too_large": "Larger than one event may be",
    "missing_field": "A required field is absent, null or empty",
    "wrong_type": "A field has another type than the contract says",
    "too_long": "An id of more than 256 bytes",
    "bad_timestamp": "The timestamp can not be read",
    "too_early": "Too far before it was received",
    "too_late": "Too far after it was received",
    "unknown_message": "A foreign format’s message of no known kind",
    "unprocessable": "tidelake itself failed on it",
    "damaged_frame": "Lost in a damaged frame of the inbox",
    "replaced_text": "Signs that no column can hold were replaced",
    "unknown_type": "The event type is not in the registry",
    "no_timestamp": "The client stated no time: that of receipt stands in",
    "clock_corrected": "Moved by the error of the client’s clock",
    "clock_ignored": "The client’s clock was too absurd to correct by",
    "bot": "The user agent names itself a bot",
}

KINDS = f"""
    select kind, sum(records)::bigint as records from gold.data_quality
    where {where(country=False)} and kind <> 'flag' group by kind
"""
NAMES = f"""
    select name, sum(records)::bigint as records,
        sum(records) / sum(sum(records)) over () as share
    from gold.data_quality where {where(country=False)} and kind = $kind
    group by name having sum(records) > 0 order by records desc, name limit {LINES}
"""
REJECTED_BY_DAY = f"""
    select day, name, sum(records)::bigint as records from gold.data_quality
    where {where(country=False)} and kind = 'rejected' group by all
"""
LATE_BY_DAY = f"""
    select day, coalesce(sum(records) filter (kind = 'late'), 0)
        / nullif(sum(records) filter (kind = 'accepted'), 0) as value
    from gold.data_quality where {where(country=False)} group by day
"""
UNKNOWN = f"""
    select {cut("event_name")} as label, sum(events)::bigint as value from gold.unknown_types
    where {where(country=False)} group by label order by value desc, label limit 10
"""


def draw(view: View) -> None:
    """Draws the page."""
    cards = view.cards(
        lambda days, before: _cards(
            _kinds(view.rows_of(days, KINDS)), _kinds(view.rows_of(before, KINDS))
        )
    )
    st.html(markup.cards(cards, view.compared))
    left, right = st.columns(2, gap="large")
    with left:
        st.html(markup.heading("Rejected by day", "Records that are no events, by reason"))
        _rejected_by_day(view)
    with right:
        st.html(
            markup.heading("Late share by day", "Accepted more than an hour after they happened")
        )
        view.trend(LATE_BY_DAY, "Late", name="Late share by day", unit=charts.SHARE, empty=None)
    left, right = st.columns(2, gap="large")
    with left:
        st.html(markup.heading("Reasons", "Every rejected record is kept and can be replayed"))
        st.html(markup.table(_meant(view, "rejected"), _COLUMNS, name="Reasons of rejection"))
    with right:
        st.html(
            markup.heading("Flags", "Accepted all the same, with a field that was not as agreed")
        )
        st.html(markup.table(_meant(view, "flag"), _COLUMNS, name="Quality flags"))
    st.html(
        markup.heading(
            "Unknown event types", "Names that are not in the registry, as they were sent"
        )
    )
    items = [Bar(row["label"], row["value"], number(row["value"])) for row in view.rows(UNKNOWN)]
    st.html(markup.bars(items, name="Name", of="Events"))


_COLUMNS = (
    Column("name", "What", right=False, note="meaning"),
    Column("records", "Records", number, bar=True),
    Column("share", "Share", percent),
)


def _kinds(rows: list[dict[str, Any]]) -> dict[str, int]:
    return {row["kind"]: row["records"] for row in rows}


def _cards(now: dict[str, int], before: dict[str, int]) -> list[Card]:
    def share(label: str, kind: str, good: str = "down") -> Card:
        found = ratio(now.get(kind, 0), _whole(now, kind))
        earlier = ratio(before.get(kind, 0), _whole(before, kind)) if before else None
        moved = found - earlier if found is not None and earlier is not None else None
        note = f"{number(now.get(kind, 0))} records"
        return Card(label, percent(found, 2), moved, points=True, good=good, note=note, key=kind)

    accepted = now.get("accepted", 0)
    return [
        Card("Accepted", number(accepted), note="records received", key="accepted"),
        share("Rejected", "rejected"),
        share("Repeats", "repeat", "neither"),
        share("Late", "late"),
        share("Bots", "bot", "neither"),
        share("Unknown types", "unknown_type"),
    ]


def _whole(kinds: dict[str, int], kind: str) -> int:
    """What a kind is a share of: everything received for rejects, else what was accepted."""
    accepted = kinds.get("accepted", 0)
    return accepted + kinds.get("rejected", 0) if kind == "rejected" else accepted


def _rejected_by_day(view: View) -> None:
    named = [row["name"] for row in view.rows(NAMES, kind="rejected")]
    if not named:
        st.html(markup.nothing("Nothing was rejected in these days."))
        return
    found: dict[str, dict[Any, int]] = {}
    for row in view.rows(REJECTED_BY_DAY):
        series = row["name"] if row["name"] in named[:REASONS] else OTHERS
        days = found.setdefault(series, {})
        days[row["day"]] = days.get(row["day"], 0) + row["records"]
    order = [*named[:REASONS], OTHERS] if OTHERS in found else named[:REASONS]
    points = [
        Point(day, found[series].get(day, 0), series)
        for series in order
        for day in charts.moments(view.filters.period)
    ]
    charts.stacked(points, name="Rejected records by day and reason", order=order)


def _meant(view: View, kind: str) -> list[dict[str, Any]]:
    rows = view.rows(NAMES, kind=kind)
    return [{**row, "meaning": MEANINGS.get(row["name"], "")} for row in rows]
