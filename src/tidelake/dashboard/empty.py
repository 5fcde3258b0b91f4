"""What a page shows before the first event: how to send one."""

from __future__ import annotations

from datetime import UTC, datetime

import streamlit as st

from tidelake.dashboard import markup

DEFAULT_COLLECTOR = "http://127.0.0.1:8765"


def draw_empty(title: str, collector: str | None, published: bool) -> None:
    """Draws the page of a home without events; `published` says that gold exists and is empty."""
    st.html(markup.page_title(title, "No events yet"))
    if collector is None:
        st.html(markup.banner("info", "No collector runs.", "Start the pipeline with: tidelake up"))
    st.html(markup.heading("No events yet: send one like this", "It is here some seconds later."))
    st.code(
        curl(collector or DEFAULT_COLLECTOR, datetime.now(UTC)), language="bash", wrap_lines=True
    )
    state = (
        "Gold is published and holds no event."
        if published
        else "Gold was not published yet; this page looks again every few seconds."
    )
    st.html(markup.nothing(state))


def curl(collector: str, now: datetime) -> str:
    """A command that sends one event that every page counts."""
    return (
        f"curl {collector}/v1/events -H 'content-type: application/json' -d '\n"
        f'  {{"event_id": "{now:%H%M%S}", "event_type": "page_view", "user_id": "user_1",\n'
        f'   "timestamp": "{now:%Y-%m-%dT%H:%M:%SZ}",\n'
        '   "_doc": {"page": {"path": "/"}, "location": {"country": "DE"}}}\''
    )
