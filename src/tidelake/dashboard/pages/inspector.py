"""Inspector: the last records, good and rejected, each with its way through the system."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import streamlit as st

from tidelake.dashboard import formats, markup
from tidelake.dashboard.empty import draw_empty
from tidelake.dashboard.live import LiveFacts, SeenRecord, Station
from tidelake.dashboard.markup import Entry, Step
from tidelake.errors import TidelakeError

LOOK_EVERY_S = 3.0
SHOWN = 16
GOOD, REJECTED = "Accepted", "Rejected"


def draw(projects: Sequence[str], live: LiveFacts, zone: str) -> None:
    """Draws the page, its times in `zone`."""
    st.html(
        markup.page_title(
            "Inspector",
            "The newest records, two of each load, and their way from the client to the charts; "
            f"times in {zone}",
        )
    )
    with st.container(horizontal=True, vertical_alignment="bottom", key="tl_filters"):
        kind = st.segmented_control("Records", (GOOD, REJECTED), default=GOOD, required=True,
                                    key="inspected", bind="query-params")  # fmt: skip
        project = st.selectbox("Project", ("All projects", *projects), key="project",
                               bind="query-params", width=180)  # fmt: skip
        following = st.toggle("Follow", True, key="follow", help="Looks again every few seconds")
    wanted = "" if project == "All projects" else project
    looking = st.fragment(_records, run_every=LOOK_EVERY_S if following else None)
    looking(live, kind == REJECTED, wanted, zone)


def _records(live: LiveFacts, rejected: bool, project: str, zone: str) -> None:
    try:
        found = live.last_records(SHOWN, rejected=rejected, project=project)
    except TidelakeError as exc:
        st.html(
            markup.banner(
                "trouble", "The last records can not be asked for.", f"{exc.message}. {exc.hint}"
            )
        )
        st.html(markup.nothing("The pages over gold go on."))
        return
    if found:
        name = "Last rejected records" if rejected else "Last accepted records"
        st.html(markup.entries([_entry(record, zone) for record in found], name=name))
    elif rejected:
        st.html(markup.nothing("Nothing was rejected."))
    else:
        draw_empty("", live.collector_url(), published=True)


def _entry(record: SeenRecord, zone: str) -> Entry:
    return Entry(
        record.title,
        formats.moment(record.received_at, zone, datetime.now(UTC)),
        facts=record.facts,
        steps=[_step(station, record.received_at) for station in record.way],
        body=record.body,
        bad=record.rejected,
        badges=record.flags,
    )


def _step(station: Station, received_at: datetime) -> Step:
    when = ""
    if station.at is not None:
        after = (station.at - received_at).total_seconds()
        when = f"+{formats.duration(after)}" if after > 0 else ""
    return Step(station.name, station.where, when, station.detail, station.done)
