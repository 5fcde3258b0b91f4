"""What a visitor sees in Chromium: figures, pictures, themes, trouble, and nothing from outside."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

import duckdb
import pytest
from tests.dashboard import browser, sample_gold
from tests.dashboard.conftest import Served

from tidelake.observe import alerts, heartbeat
from tidelake.observe.alerts import Alert, AlertState

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

pytestmark = pytest.mark.slow

PAGES = (
    "",
    "funnel",
    "revenue",
    "acquisition",
    "performance",
    "quality",
    "pipeline",
    "inspector",
)
# 28 days up to the last one, which is what a visitor sees first.
LATELY = "day > (select max(day) from gold.daily_traffic) - 28"


def whole(value: float) -> str:
    return f"{value:,.0f}"


def percent(value: float, digits: int = 1) -> str:
    return f"{100 * value:.{digits}f}%"


def euro(value: float) -> str:
    return f"€{value:,.0f}" if value >= 10_000 else f"€{value:,.2f}"


def milliseconds(value: float) -> str:
    return f"{value:.0f} ms" if value < 1000 else f"{value / 1000:.2f} s"


def p75(metric: str) -> str:
    """Every sample on a line of its own, in order: the first that three quarters do not exceed."""
    return f"""
        with line as (
            select unnest(range(samples)) as one, bin from gold.web_performance_bins
            where {LATELY} and metric = '{metric}'
        )
        select pow(1.05, quantile_disc(bin, 0.75) + 0.5) from line
    """


FIGURES: dict[str, dict[str, tuple[str, Callable[[float], str]]]] = {
    "": {
        "visitors_a_day": (
            f"select sum(visitors) / 28 from gold.daily_traffic where {LATELY}",
            whole,
        ),
        "sessions": (f"select sum(sessions) from gold.sessions_by_day where {LATELY}", whole),
        "revenue_EUR": (
            f"select sum(revenue) from gold.revenue_by_day where {LATELY} and currency = 'EUR'",
            euro,
        ),
    },
    "funnel": {
        "step_1": (f"select sum(sessions) from gold.funnel where {LATELY} and step = 1", whole),
        "step_3": (
            f"select (select sum(sessions) from gold.funnel where {LATELY} and step_name = 'Cart')"
            f" / (select sum(sessions) from gold.sessions_by_day where {LATELY})",
            percent,
        ),
        "step_5": (
            f"select sum(converted) / sum(sessions) from gold.sessions_by_day where {LATELY}",
            percent,
        ),
    },
    "revenue": {
        "revenue": (
            f"select sum(revenue) from gold.revenue_by_day where {LATELY} and currency = 'EUR'",
            euro,
        ),
        "orders": (
            f"select sum(orders) from gold.revenue_by_day where {LATELY} and currency = 'EUR'",
            whole,
        ),
        "average_order": (
            f"select sum(revenue) / sum(orders) from gold.revenue_by_day"
            f" where {LATELY} and currency = 'EUR'",
            euro,
        ),
    },
    "acquisition": {
        "sessions": (f"select sum(sessions) from gold.acquisition where {LATELY}", whole),
        "campaign": (
            f"select 1 - sum(if(campaign_source = '', sessions, 0)) / sum(sessions)"
            f" from gold.acquisition where {LATELY}",
            percent,
        ),
        "bounces": (
            f"select sum(bounces) / sum(sessions) from gold.acquisition where {LATELY}",
            percent,
        ),
    },
    "performance": {
        metric: (p75(metric), milliseconds)
        for metric in ("page_load_time", "first_contentful_paint", "network_latency")
    },
    "quality": {
        "accepted": (
            f"select sum(records) from gold.data_quality where {LATELY} and kind = 'accepted'",
            whole,
        ),
        "rejected": (
            f"select sum(if(kind = 'rejected', records, 0)) / sum(records) from gold.data_quality"
            f" where {LATELY} and kind in ('accepted', 'rejected')",
            lambda value: percent(value, 2),
        ),
        "late": (
            f"select sum(if(kind = 'late', records, 0)) / sum(if(kind = 'accepted', records, 0))"
            f" from gold.data_quality where {LATELY}",
            lambda value: percent(value, 2),
        ),
    },
    "pipeline": {
        name: (
            f"select sum({column}) from gold.pipeline_health where hour >"
            " (select max(hour) from gold.pipeline_health) - interval '24 hours'",
            whole,
        )
        for name, column in (("records", "records"), ("commits", "commits"), ("windows", "windows"))
    },
}


@pytest.fixture
def page(chrome: Chrome) -> Chrome:
    """The browser, at the size and theme of a desk."""
    browser.look(chrome, 1440, 900)
    browser.requests(chrome)
    return chrome


def said(page: Chrome) -> str:
    return str(page.find_element("tag name", "body").text)


def asked(gold: Path, sql: str) -> float:
    with duckdb.connect(str(gold), read_only=True) as connection:
        row = connection.execute(sql).fetchone()
    assert row is not None
    return float(row[0])


@pytest.mark.parametrize("name", FIGURES)
def test_three_figures_of_a_page_are_those_of_an_independent_query(
    page: Chrome, served: Served, sample: Path, name: str
) -> None:
    browser.visit(page, f"{served.url}/{name}")

    shown = {key: browser.figure(page, key) for key in FIGURES[name]}

    assert shown == {key: form(asked(sample, sql)) for key, (sql, form) in FIGURES[name].items()}


def test_filters_in_the_address_reach_every_figure(
    page: Chrome, served: Served, sample: Path
) -> None:
    chosen = f"period={quote('Last 7 days')}&project=shop-us&country=Germany"
    browser.visit(page, f"{served.url}/?{chosen}")

    expected = asked(
        sample,
        "select sum(sessions) from gold.sessions_by_day where project = 'shop-us'"
        " and country = 'DE' and day > (select max(day) from gold.daily_traffic) - 7",
    )
    assert browser.figure(page, "sessions") == whole(expected)
    assert browser.figure(page, "revenue_EUR") != "None"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_every_page_fits_its_width_in_both_themes_and_asks_for_nothing_outside(
    page: Chrome, served: Served, sample: Path, tmp_path: Path, width: int, scheme: str
) -> None:
    folder = Path(os.environ.get("DASHBOARD_SCREENSHOTS") or tmp_path)
    wide: dict[str, list[str]] = {}
    for name in PAGES:
        browser.look(page, width, 900, scheme)
        browser.visit(page, f"{served.url}/{name}")
        if found := browser.overflow(page):
            wide[name] = found
        browser.picture(page, folder / f"{name or 'overview'}-{width}-{scheme}.png")

    assert wide == {}
    asked_for = {urlsplit(url) for url in browser.requests(page)}
    network = {url for url in asked_for if url.scheme in ("http", "https", "ws", "wss")}
    assert {url.hostname for url in network} == {"127.0.0.1"}
    background = page.execute_script(
        "return getComputedStyle(document.querySelector('.stApp')).backgroundColor"
    )
    assert background == ("rgb(255, 255, 255)" if scheme == "light" else "rgb(11, 20, 26)")


def test_streamlits_own_menu_and_deploy_button_are_not_there(
    page: Chrome, served: Served, sample: Path
) -> None:
    browser.visit(page, served.url)

    assert (
        page.execute_script(
            'return [...document.querySelectorAll(\'[data-testid="stMainMenu"],'
            ' [data-testid="stAppDeployButton"]\')].filter(e => e.offsetParent).length'
        )
        == 0
    )


def test_charts_and_figures_have_names_that_a_screen_reader_says(
    page: Chrome, served: Served, sample: Path
) -> None:
    browser.visit(page, served.url)

    names = page.execute_script(
        "return [...document.querySelectorAll('.tl-card')].map(e => e.getAttribute('aria-label'))"
    )
    assert "Sessions" in names
    assert page.execute_script(
        "return document.querySelector('[data-testid=\"stVegaLiteChart\"]').outerHTML"
        ".includes('aria-label=\"Visitors by day\"')"
    )


def test_a_newer_version_is_shown_without_a_visitor_doing_anything(
    page: Chrome, served: Served, sample: Path
) -> None:
    browser.visit(page, served.url)
    before = browser.figure(page, "sessions")

    served.publish(days=10)
    sample.unlink()

    browser.until(
        lambda: browser.settled(page) and browser.figure(page, "sessions") not in (before, "None"),
        "the figures are those of the newer version",
    )


def test_before_the_first_event_a_page_says_how_to_send_one(page: Chrome, served: Served) -> None:
    served.publish_file(sample_gold.empty)
    for name in PAGES[:6]:
        browser.visit(page, f"{served.url}/{name}")
        browser.until(lambda: "/v1/events -H" in said(page), "the command is there")
        assert "No events yet" in said(page)
        assert browser.overflow(page) == []


def test_a_failed_model_is_named_over_the_last_good_figures(page: Chrome, served: Served) -> None:
    served.publish(trouble="the model gold.funnel failed")
    beat = {"trouble": "Binder Error: no column x", "failed_model": "gold.funnel"}
    heartbeat.beat(served.home, "transform", datetime.now(UTC).timestamp(), beat)
    try:
        browser.visit(page, served.url)
        told = browser.until(
            lambda: page.execute_script(
                "return document.querySelector('.tl-banner.tl-trouble')?.textContent"
            ),
            "the banner is there",
        )
    finally:
        heartbeat.forget(served.home, "transform")

    assert "gold.funnel fails" in told
    assert "Binder Error: no column x" in told
    assert browser.figure(page, "sessions") != "None"


def test_a_critical_alert_stands_over_every_page_and_another_on_one(
    page: Chrome, served: Served
) -> None:
    def alert(rule: str, severity: str) -> Alert:
        return Alert(rule, severity, f"{rule} is wrong", "silent_s", 60, 20, 1, 1)

    state = AlertState(
        datetime.now(UTC).timestamp(), (alert("gone", "critical"), alert("slow", "warning"))
    )
    alerts.write(served.home, state)
    try:
        for path in ("", "revenue", "inspector"):
            browser.visit(page, f"{served.url}/{path}")
            browser.until(lambda: "Critical alert: gone" in said(page), "the alert is told")
            assert "slow is wrong" not in said(page)
        browser.visit(page, f"{served.url}/pipeline")
        browser.until(lambda: "Warning alert: slow" in said(page), "both are told")
        assert said(page).count("Critical alert: gone") == 1
    finally:
        heartbeat.forget(served.home, alerts.PART)


def test_a_damaged_file_leaves_the_last_good_one_shown_and_says_so(
    page: Chrome, served: Served, sample: Path
) -> None:
    browser.visit(page, served.url)
    before = browser.figure(page, "sessions")

    served.publish_file(lambda path: path.write_bytes(b"no database" * 1000))

    browser.visit(page, served.url)
    assert browser.figure(page, "sessions") == before
    assert "can not be read" in said(page)


HOSTILE = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>\'"&amp;'


def hostile(path: Path) -> None:
    """Every text that somebody sends is markup, much too long, or turns the line around."""
    sample_gold.build(path, days=40)
    texts: dict[str, tuple[str, ...]] = {
        "daily_traffic": ("project", "country"),
        "sessions_by_day": ("project", "country", "device_type"),
        "engagement_by_type": ("project", "country", "event_type"),
        "funnel": ("project", "country"),
        "retention": ("project", "country"),
        "revenue_by_day": ("project", "country", "currency"),
        "revenue_by_product": ("project", "country", "currency", "product_name", "category"),
        "top_pages": ("project", "country", "page_path"),
        "acquisition": ("project", "country", "referrer", "campaign_name", "campaign_medium"),
        "searches": ("project", "country", "query"),
        "web_performance_bins": ("project", "country", "page_group"),
        "data_quality": ("project", "name"),
        "unknown_types": ("project", "event_name"),
        "books": ("layer", "measure"),
    }
    with duckdb.connect(str(path)) as connection:
        for table, columns in texts.items():
            changes = ", ".join(
                f"{c} = {c} || $hostile || chr(8238) || '[x](javascript:1) :smile: $x$'"
                f" || repeat('y', 5000)"
                for c in columns
            )
            connection.execute(f"update gold.{table} set {changes}", {"hostile": HOSTILE})


def test_text_of_users_is_shown_as_text_on_every_page(page: Chrome, served: Served) -> None:
    served.publish_file(hostile)
    for width in (1440, 390):
        for name in PAGES:
            browser.look(page, width, 900)
            browser.visit(page, f"{served.url}/{name}")
            assert page.execute_script("return window.hacked ?? 0") == 0, name
            injected = page.execute_script(
                "return document.querySelectorAll('.stApp img[src=x], [data-testid=stMain] script,"
                " [data-testid=stMain] a[href^=javascript]').length"
            )
            assert injected == 0, name
            assert browser.overflow(page) == [], (name, width)
    browser.visit(page, f"{served.url}/acquisition")
    assert '<img src=x onerror="window.hacked=1">' in said(page)
