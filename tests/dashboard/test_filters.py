"""Filters in Chromium: what was chosen stays chosen, and what is not over is compared fairly."""

from __future__ import annotations

from datetime import UTC, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import duckdb
import pytest
from tests.dashboard import browser
from tests.dashboard.conftest import Served

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

pytestmark = pytest.mark.slow

CHOSEN = f"period={quote('Last 7 days')}&project=shop-us&country=Germany&compare=false"


@pytest.fixture
def page(chrome: Chrome) -> Chrome:
    browser.look(chrome, 1440, 900)
    return chrome


def go_to(page: Chrome, title: str) -> None:
    """Follows the link of the sidebar, as a visitor does: the session goes on."""
    page.find_element("partial link text", title).click()
    browser.until(
        lambda: words(page, ".tl-title h1") == title and browser.settled(page),
        f"{title} is drawn",
    )


def words(page: Chrome, selector: str) -> str:
    asked = "return document.querySelector(arguments[0])?.textContent ?? ''"
    return str(page.execute_script(asked, selector))


def test_filters_stay_over_pages_that_do_not_draw_them(
    page: Chrome, served: Served, sample: Path
) -> None:
    browser.visit(page, f"{served.url}/?{CHOSEN}")
    before = browser.figure(page, "sessions"), words(page, ".tl-title p")

    for title in ("Data quality", "Pipeline", "Inspector"):
        go_to(page, title)
        if title == "Data quality":
            assert "7 days" in words(page, ".tl-title p")
    go_to(page, "Overview")

    assert (browser.figure(page, "sessions"), words(page, ".tl-title p")) == before
    assert "country=Germany" in page.current_url


def changes(page: Chrome) -> dict[str, str]:
    """The change beside each figure that has one, without its arrow."""
    found: dict[str, str] = page.execute_script(
        "return Object.fromEntries([...document.querySelectorAll('[data-kpi]')]"
        ".filter(card => card.querySelector('.tl-delta'))"
        ".map(card => [card.dataset.kpi, card.querySelector('.tl-delta').textContent]))"
    )
    return found


def moved(now: float, before: float) -> str:
    arrow, word = ("▲", "up") if now > before else ("▼", "down")
    change = round(abs(now / before - 1) * 100, 1)
    return f"{arrow} {word} {change:.{0 if change >= 100 else 1}f}%"


def asked(gold: Path, sql: str) -> float:
    with duckdb.connect(str(gold), read_only=True) as connection:
        row = connection.execute(sql).fetchone()
    assert row is not None
    return float(row[0])


def test_a_week_that_is_not_over_is_compared_by_its_whole_days(
    page: Chrome, served: Served, sample: Path
) -> None:
    browser.visit(page, f"{served.url}/?period={quote('Last 7 days')}")

    last = "(select max(day) from gold.daily_traffic)"
    sessions = f"select sum(sessions) from gold.sessions_by_day where day between {last} -"
    assert changes(page)["sessions"] == moved(
        asked(sample, f"{sessions} 6 and {last} - 1"),
        asked(sample, f"{sessions} 13 and {last} - 8"),
    )
    assert browser.figure(page, "sessions") == f"{asked(sample, f'{sessions} 6 and {last}'):,.0f}"
    assert "the last one so far · changes compare the 6 whole days" in words(page, ".tl-title p")


def test_today_is_compared_only_in_events_and_to_the_same_hour(
    page: Chrome, served: Served
) -> None:
    gold = served.publish(published_at=datetime.combine(served.today, time(9, 30), UTC))
    browser.visit(page, f"{served.url}/?period=Today")

    events = (
        "select sum(events) from gold.events_by_hour where hour::time < time '09:00:00'"
        " and hour::date = (select max(day) from gold.daily_traffic)"
    )
    assert changes(page) == {"events": moved(asked(gold, events), asked(gold, f"{events} - 1"))}
    assert "change up to 09:00" in words(page, "[data-kpi=events]")
    assert "1 day so far · a day is compared when it is over" in words(page, ".tl-title p")
