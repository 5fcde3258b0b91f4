"""What Streamlit runs for every visitor: navigation, filters, and the page that was chosen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import streamlit as st

from tidelake.dashboard import formats, markup, period, theme
from tidelake.dashboard.countries import country_name
from tidelake.dashboard.empty import draw_empty
from tidelake.dashboard.freshness import notices, of_alert
from tidelake.dashboard.gold import Gold, GoldReader, GoldVersion
from tidelake.dashboard.live import LiveFacts
from tidelake.dashboard.login import Door, signed_in
from tidelake.dashboard.pages import (
    acquisition,
    funnel,
    inspector,
    overview,
    performance,
    pipeline,
    quality,
    revenue,
)
from tidelake.dashboard.period import Filters
from tidelake.dashboard.view import View
from tidelake.errors import TidelakeError

if TYPE_CHECKING:
    from streamlit.navigation.page import StreamlitPage

LOOK_EVERY_S = 5.0


@dataclass(frozen=True, slots=True)
class GoldPage:
    """A page over gold, with the filters that its tables have."""

    path: str  # in the address; the first page has none
    title: str
    icon: str
    draw: Callable[[View], None]
    country: bool = True


GOLD_PAGES = (
    GoldPage("", "Overview", "space_dashboard", overview.draw),
    GoldPage("funnel", "Funnel & retention", "filter_alt", funnel.draw),
    GoldPage("revenue", "Revenue", "payments", revenue.draw),
    GoldPage("acquisition", "Acquisition", "ads_click", acquisition.draw),
    GoldPage("performance", "Web performance", "speed", performance.draw),
    GoldPage("quality", "Data quality", "fact_check", quality.draw, country=False),
)
PIPELINE, INSPECTOR = "pipeline", "inspector"


def draw(home: Path, live: LiveFacts, door: Door | None = None) -> None:
    """Draws what this visitor asks for; with a door, only for who has passed it."""
    st.set_page_config("tidelake", layout="wide", page_icon=theme.ICON)
    st.html(theme.style())
    st.logo(theme.LOGO, size="large")
    # Its `run()` would draw within the page, and Streamlit would take the filters of every page
    # for others: a visitor would choose again on each.
    is_in = door is None or signed_in(door)
    # A link to a page stays good: it is drawn once the visitor is in.
    links = st.navigation(_links(), position="sidebar" if is_in else "hidden", expanded=True)
    if not is_in:
        return
    chosen = links.url_path
    reader = gold_reader(home)
    if chosen != PIPELINE:  # which shows every alert
        _critical(live)
    if chosen == PIPELINE:
        _draw_pipeline(reader, live)
    elif chosen == INSPECTOR:
        _draw_inspector(reader, live)
    else:
        _draw_gold(next(page for page in GOLD_PAGES if page.path == chosen), reader, live)


@st.cache_resource(show_spinner=False)
def gold_reader(home: Path) -> GoldReader:
    """The one reader of a home's gold, shared by all visitors: a version is opened once."""
    return GoldReader(home)


def _links() -> dict[str, list[StreamlitPage]]:
    answers, trust = GOLD_PAGES[:-1], GOLD_PAGES[-1]
    return {
        "Answers": [_link(page.title, page.icon, page.path) for page in answers],
        "Trust": [
            _link(trust.title, trust.icon, trust.path),
            _link("Pipeline", "conversion_path", PIPELINE),
            _link("Inspector", "frame_inspect", INSPECTOR),
        ],
    }


def _link(title: str, icon: str, path: str) -> StreamlitPage:
    def page() -> None:
        """Nothing: `draw` draws."""

    return st.Page(page, title=title, icon=f":material/{icon}:", url_path=path, default=not path)


def _draw_gold(page: GoldPage, reader: GoldReader, live: LiveFacts) -> None:
    try:
        gold = reader.newest()
    except TidelakeError as exc:
        st.html(markup.page_title(page.title, ""))
        st.html(markup.banner("trouble", exc.message, exc.hint))
        _watch(reader, None, live)
        return
    _watch(reader, gold, live)
    if gold is None or gold.last_day is None:
        draw_empty(page.title, live.collector_url(), published=gold is not None)
        return
    title = st.empty()
    view = View(gold, _filters(gold, country=page.country), live)
    title.html(markup.page_title(page.title, view.subtitle))
    body = st.container()
    waiting = _waiting(body)
    with body:
        try:
            page.draw(view)
        except TidelakeError as exc:
            st.html(markup.banner("trouble", exc.message, exc.hint))
    waiting.empty()
    _foot(gold)


def _draw_pipeline(reader: GoldReader, live: LiveFacts) -> None:
    gold = _any(reader)
    _watch(reader, gold, live)
    pipeline.draw(gold, live)


def _draw_inspector(reader: GoldReader, live: LiveFacts) -> None:
    gold = _any(reader)
    zone = gold.publication.timezone if gold else "UTC"
    inspector.draw(_choices(gold)[0] if gold else [], live, zone)


def _any(reader: GoldReader) -> Gold | None:
    """Gold for pages that show other things as well: they go on without."""
    try:
        return reader.newest()
    except TidelakeError as exc:
        st.html(markup.banner("trouble", exc.message, exc.hint))
        return None


def _waiting(body: st.delta_generator.DeltaGenerator) -> st.delta_generator.DeltaGenerator:
    """Grey shapes until a visitor's first page is drawn; later ones replace what stands there."""
    place = body.empty()
    if not st.session_state.get("drawn"):
        place.html(markup.skeleton())
        st.session_state["drawn"] = True
    return place


def _watch(reader: GoldReader, shown: Gold | None, live: LiveFacts) -> None:
    """Keeps looking, with the name of what is shown: Streamlit keeps a fragment's arguments for
    minutes after the browser left, and gold among them would stay open as long, version by
    version (a thread and 7 MB or more each)."""
    if shown is None:
        _look(reader, None, None, live)
    else:
        _look(reader, shown.path.name, shown.publication, live)


@st.fragment(run_every=LOOK_EVERY_S)
def _look(
    reader: GoldReader, shown: str | None, publication: GoldVersion | None, live: LiveFacts
) -> None:
    """Looks for a newer version and for trouble; only a newer version draws the page anew."""
    name = reader.named()
    newer = name is not None and name != shown
    # Once for each version: one that can not be read would draw the page again and again.
    if newer and st.session_state.get("watched") != name:
        st.session_state["watched"] = name
        st.rerun()
    if publication is not None:
        now = datetime.now(UTC)
        news = live.news(publication.to_load_id)
        for notice in notices(publication, news, reader.trouble, now):
            st.html(markup.banner(notice.kind, notice.title, notice.detail))


@st.fragment(run_every=LOOK_EVERY_S)
def _critical(live: LiveFacts) -> None:
    """What nobody should overlook, whatever page they are on."""
    for alert in live.alerts():
        if alert.severity == "critical":
            notice = of_alert(alert)
            st.html(markup.banner(notice.kind, notice.title, notice.detail))


def _filters(gold: Gold, country: bool) -> Filters:
    first, last = gold.first_day, gold.last_day
    assert first is not None
    assert last is not None
    projects, countries = _choices(gold)
    with st.container(horizontal=True, vertical_alignment="bottom", key="tl_filters"):
        name = st.selectbox("Period", period.PERIODS, period.PERIODS.index(period.DEFAULT_PERIOD),
                            key="period", bind="query-params", width=180)  # fmt: skip
        custom: tuple[date, ...] = ()
        if name == period.CUSTOM:
            custom = st.date_input("Days", (first, last), min_value=first, max_value=last,
                                   key="days", bind="query-params", format="YYYY-MM-DD",
                                   width=240)  # fmt: skip
        project = st.selectbox("Project", ("All projects", *projects), key="project",
                               bind="query-params", width=180)  # fmt: skip
        place = "All countries"
        if country:
            place = st.selectbox("Country", ("All countries", *countries), key="country", width=190,
                                 bind="query-params", format_func=country_name)  # fmt: skip
        compare = st.toggle("Compare", True, key="compare", bind="query-params")
    # What happened since the publication is not in it, however long that is ago.
    as_of = gold.publication.published_at.astimezone(ZoneInfo(gold.publication.timezone))
    return Filters(
        period.period_of(name, first, last, as_of.date(), custom),
        as_of.replace(tzinfo=None),
        period.ALL if project == "All projects" else project,
        period.ALL if place == "All countries" else place,
        compare,
        first,
    )


def _choices(gold: Gold) -> tuple[list[str], list[str]]:
    """Projects and countries, the busiest first; names that nobody can read are no choice."""
    found: list[list[str]] = []
    for column in ("project", "country"):
        rows = gold.rows(
            f"select {column} as name from gold.daily_traffic where length({column}) <= 200"
            " group by name order by sum(events) desc, name limit 300"
        )
        found.append([row["name"] for row in rows])
    return found[0], found[1]


def _foot(gold: Gold) -> None:
    said = gold.publication
    st.sidebar.html(
        '<div class="tl-foot">'
        f"Gold version <b>{said.version:,}</b><br>published "
        f"<b>{said.published_at.astimezone(ZoneInfo(said.timezone)):%H:%M:%S}</b>, "
        f"{markup.text(formats.day(said.published_at.astimezone(ZoneInfo(said.timezone))))}<br>"
        f"days in {markup.text(said.timezone)}</div>"
    )
