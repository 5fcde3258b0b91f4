"""Pipeline: what runs, how fast, how far behind, and whether the books balance."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import streamlit as st

from tidelake.dashboard import charts, formats, markup
from tidelake.dashboard.charts import Point
from tidelake.dashboard.formats import duration, number, size
from tidelake.dashboard.freshness import of_alert
from tidelake.dashboard.gold import Gold
from tidelake.dashboard.live import LayerFact, LiveFacts, PartFact, PipelineFacts
from tidelake.dashboard.markup import Card, Chip, Column

LOOK_EVERY_S = 3.0
SPANS = {"24 hours": (24, "hour"), "7 days": (168, "hour"), "30 days": (720, "day")}
TABLES = ("events", "rejected_events")

HEALTH = """
    with local as (
        select timezone($zone, hour) as hour, * exclude (hour) from gold.pipeline_health
    ), span as (
        select * from local
        where hour > (select max(hour) from local) - $hours * interval '1 hour'
    )
    select date_trunc($grain, hour)::timestamp as moment, table_name,
        sum(records)::bigint as records, sum(commits)::bigint as commits,
        sum(files)::bigint as files, sum(bytes)::bigint as bytes,
        sum(raw_bytes)::bigint as raw_bytes, sum(loads)::bigint as loads,
        sum(loaded_rows)::bigint as loaded_rows, sum(set_aside)::bigint as set_aside,
        sum(windows)::bigint as windows, sum(failed_windows)::bigint as failed_windows,
        sum(window_s) as window_s
    from span group by all order by moment, table_name
"""
BOOKS = "select layer, measure, expected, found, difference, as_of from gold.books limit 100"


def draw(gold: Gold | None, live: LiveFacts) -> None:
    """Draws the page; `gold` is none before the first publication."""
    st.html(markup.page_title("Pipeline", "From the first byte to the last figure, now and lately"))
    _now(live, gold.publication.timezone if gold else "UTC")
    if gold is None:
        st.html(markup.nothing("History and books come with the first published gold."))
        return
    _history(gold)
    _books(gold)
    _tables(live)


@st.fragment(run_every=LOOK_EVERY_S)
def _now(live: LiveFacts, zone: str) -> None:
    facts = live.pipeline()
    if facts.trouble:
        st.html(markup.banner("trouble", "Not everything could be asked.", facts.trouble))
    for alert in facts.alerts:
        notice = of_alert(alert)
        st.html(markup.banner(notice.kind, notice.title, notice.detail))
    at = formats.moment(facts.at, zone, facts.at)
    st.html(markup.chips(_chips(facts.parts), name="Parts of the pipeline"))
    st.html(markup.cards([_layer(layer) for layer in facts.layers]))
    st.html(markup.heading("Last commits to the lake", f"As of {at}, {zone}"))
    st.html(
        markup.table(
            _commits(facts, zone), _COMMIT_COLUMNS, name="Last commits", empty="No commit yet."
        )
    )


def _chips(parts: Sequence[PartFact]) -> list[Chip]:
    if not parts:
        return [Chip("No part runs", "idle", "start with: tidelake up")]
    found = []
    for part in parts:
        state = "good" if part.state == "runs" else "bad"
        detail = part.state
        if part.state != "runs":
            detail = f"{part.state}, last heard {duration(part.age_s)} ago"
        elif part.trouble:
            state, detail = "warn", part.trouble
        elif part.memory_bytes:
            detail = size(part.memory_bytes)
        found.append(Chip(part.name, state, detail))
    return found


def _layer(layer: LayerFact) -> Card:
    told = []
    if layer.waiting is not None and (layer.per_s is not None or layer.lag_s is not None):
        what = layer.waiting_what if layer.waiting != 1 else layer.waiting_what.removesuffix("s")
        told.append(f"{number(layer.waiting)} {what} waiting")
    if layer.lag_s is not None and layer.per_s is not None:
        told.append(f"{duration(layer.lag_s)} behind" if layer.waiting else "up to date")
    if layer.total is not None:
        told.append(f"{number(layer.total)} in all")
    return Card(layer.layer, _headline(layer), note=" · ".join(told), key=_key(layer.layer))


def _headline(layer: LayerFact) -> str:
    if layer.per_s is not None:
        return f"{number(layer.per_s, _digits(layer.per_s))} /s"
    if layer.lag_s is not None:
        return f"{duration(layer.lag_s)} behind" if layer.waiting else "up to date"
    return formats.NONE if layer.waiting is None else f"{number(layer.waiting)} waiting"


def _key(layer: str) -> str:
    return f"layer_{layer.lower()}"


def _digits(value: float) -> int:
    return 1 if 0 < value < 10 else 0


_COMMIT_COLUMNS = (
    Column("at", "When", right=False),
    Column("table", "Table", right=False),
    Column("sequence_number", "Snapshot", number),
    Column("operation", "What", right=False),
    Column("records", "Records", number, bar=True),
    Column("files", "Files", number),
    Column("bytes", "Size", size),
)


def _commits(facts: PipelineFacts, zone: str) -> list[dict[str, Any]]:
    return [
        {
            "at": formats.moment(commit.at, zone, facts.at),
            "table": commit.table,
            "sequence_number": commit.sequence_number,
            "operation": commit.operation,
            "records": commit.records,
            "files": commit.files,
            "bytes": commit.bytes,
        }
        for commit in facts.commits
    ]


def _history(gold: Gold) -> None:
    span = st.segmented_control("Span", list(SPANS), default="24 hours", required=True, key="span",
                                label_visibility="collapsed")  # fmt: skip
    hours, grain = SPANS[span or "24 hours"]
    zone = gold.publication.timezone
    rows = gold.rows(HEALTH, {"zone": zone, "hours": hours, "grain": grain})
    if not rows:
        st.html(markup.nothing("No commit in the last 30 days."))
        return
    st.html(markup.cards(_totals(rows)))
    left, right = st.columns(2, gap="large")
    with left:
        st.html(markup.heading(f"Records loaded by {grain}", f"{_until(rows, grain)} in {zone}"))
        points = [Point(row["moment"], row["loaded_rows"] or 0, row["table_name"]) for row in rows]
        charts.stacked(points, name="Records loaded", order=TABLES)
    with right:
        st.html(
            markup.heading(f"Length of a transform window by {grain}", "Average, silver and gold")
        )
        points = [
            Point(row["moment"], formats.ratio(row["window_s"], row["windows"]), row["table_name"])
            for row in rows
            if row["table_name"] == "events"
        ]
        charts.trend(points, [], name="Window length", unit=charts.SECONDS, measure="Window")


def _until(rows: list[dict[str, Any]], grain: str) -> str:
    """The end of a span: that of the newest commit, which may lie back."""
    last = max(row["moment"] for row in rows)
    clock = f", {last:%H}:00 to {last:%H}:59" if grain == "hour" else ""
    return f"Up to {formats.day(last)}{clock}"


def _totals(rows: list[dict[str, Any]]) -> list[Card]:
    def total(key: str) -> int:
        return sum(row[key] or 0 for row in rows)

    stored = formats.ratio(total("raw_bytes"), total("bytes"))
    failed = total("failed_windows")
    return [
        Card("Records committed", number(total("records")), key="records"),
        Card("Commits", number(total("commits")), note=f"{number(total('files'))} files",
             key="commits"),
        Card("Written", size(total("bytes")), note=f"of {size(total('raw_bytes'))} received",
             key="written"),
        Card("Compression", f"{stored:.1f} : 1" if stored else formats.NONE, key="compression"),
        Card("Rows loaded", number(total("loaded_rows")), note=f"{number(total('loads'))} loads, "
             f"{number(total('set_aside'))} set aside", key="loaded"),
        Card("Windows", number(total("windows")), note=f"{number(failed)} failed", key="windows"),
    ]  # fmt: skip


def _books(gold: Gold) -> None:
    rows = gold.rows(BOOKS)
    as_of = _local(max((row["as_of"] for row in rows), default=None), gold)
    st.html(markup.heading("The books", f"Every record is accounted for in every layer; {as_of}"))
    columns = (
        Column("layer", "Layer", right=False),
        Column("measure", "What must be equal", right=False),
        Column("expected", "Expected", number),
        Column("found", "Found", number),
        Column("difference", "Difference", number),
        Column("verdict", "Verdict", right=False),
    )
    told = [{**row, "verdict": _verdict(row["difference"])} for row in rows]
    st.html(markup.table(told, columns, name="The books"))


def _verdict(difference: int | None) -> str:
    if difference is None:
        return "counted, nothing to compare with"
    return "✗ does not balance" if difference else "✓ balances"


def _local(moment: datetime | None, gold: Gold) -> str:
    if moment is None:
        return "none are published"
    zone = ZoneInfo(gold.publication.timezone)
    return f"as of {moment.astimezone(zone):%H:%M:%S}, {formats.day(moment.astimezone(zone))}"


@st.fragment(run_every=10 * LOOK_EVERY_S)
def _tables(live: LiveFacts) -> None:
    columns = (
        Column("layer", "Layer", right=False),
        Column("table", "Table", right=False),
        Column("rows", "Rows", number),
        Column("bytes", "Size", size, bar=True),
        Column("files", "Files", number),
        Column("snapshots", "Snapshots", number),
    )
    rows = [
        {
            name: getattr(table, name)
            for name in ("layer", "table", "rows", "bytes", "files", "snapshots")
        }
        for table in live.pipeline().tables
    ]
    st.html(markup.heading("Tables", "Rows in PostgreSQL are its own estimates"))
    st.html(markup.table(rows, columns, name="Tables", empty="No table can be seen."))
