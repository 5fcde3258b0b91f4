"""Chromium over the pages: opens, waits until they are drawn, reads figures, takes pictures."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

WITHIN_S = 60.0
SETTLED = """
    const app = document.querySelector('[data-testid="stApp"]');
    if (!app || app.dataset.testScriptState === 'running') return false;
    if (document.querySelector('[aria-busy="true"]')) return false;
    if (!document.querySelector('.tl-title, .tl-banner')) return false;
    const charts = [...document.querySelectorAll('[data-testid="stVegaLiteChart"]')];
    return charts.every(chart => chart.querySelector('svg, canvas'));
"""


@contextmanager
def chromium(profile: Path) -> Iterator[Chrome]:
    """A browser that writes down every request it makes."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    for flag in (
        "--headless=new",
        "--no-sandbox",
        "--disable-dev-shm-usage",
        "--disable-background-networking",
        "--disable-component-update",
        "--force-color-profile=srgb",
        "--hide-scrollbars",
        f"--user-data-dir={profile}",
    ):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    options.binary_location = shutil.which("chromium") or ""
    browser = webdriver.Chrome(options, Service(shutil.which("chromedriver")))
    try:
        yield browser
    finally:
        browser.quit()


def look(browser: Chrome, width: int, height: int, scheme: str = "light") -> None:
    """Sets the size of the window, whatever the smallest that a window may have, and the theme."""
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    feature = {"name": "prefers-color-scheme", "value": scheme}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})


def until(condition: Callable[[], Any], what: str, within_s: float = WITHIN_S) -> Any:
    """The first true answer."""
    deadline = time.monotonic() + within_s
    while not (answer := condition()):
        assert time.monotonic() < deadline, f"not within {within_s:.0f} s: {what}"
        time.sleep(0.1)
    return answer


def visit(browser: Chrome, url: str) -> None:
    """Opens a page and waits until its script has run and its charts are drawn."""
    browser.get(url)
    until(lambda: settled(browser), f"{url} is drawn")


def settled(browser: Chrome) -> bool:
    return bool(browser.execute_script(SETTLED))


def picture(browser: Chrome, path: Path) -> None:
    """The whole page, not only what the window shows."""
    import base64

    path.parent.mkdir(parents=True, exist_ok=True)
    # Streamlit scrolls within its own element: the window is made as tall as what is in it.
    width = browser.execute_script("return window.innerWidth")
    tall = browser.execute_script(
        "return document.querySelector('[data-testid=\"stMain\"]').scrollHeight"
    )
    size = {"width": width, "height": int(tall), "deviceScaleFactor": 1, "mobile": width < 600}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    until(lambda: settled(browser), "the page is drawn at its full height")
    time.sleep(0.4)  # Vega draws anew after a change of size, and says nothing when it has
    shot = browser.execute_cdp_cmd("Page.captureScreenshot", {"format": "png"})
    path.write_bytes(base64.b64decode(shot["data"]))


def figure(browser: Chrome, key: str) -> str:
    """The text of a card."""
    return str(
        browser.execute_script(
            "return document.querySelector(`[data-kpi='${arguments[0]}'] .tl-value`)?.textContent",
            key,
        )
    )


def overflow(browser: Chrome) -> list[str]:
    """What is wider than the page, each as its tag and class."""
    found: list[str] = browser.execute_script(
        """
        const wide = [];
        const limit = document.documentElement.clientWidth;
        for (const name of ['stMain', 'stMainBlockContainer']) {
            const box = document.querySelector(`[data-testid="${name}"]`);
            if (box.scrollWidth > box.clientWidth + 1) wide.push(`${name} ${box.scrollWidth}`);
        }
        if (document.documentElement.scrollWidth > limit) wide.push('html');
        for (const box of document.querySelectorAll('[data-testid="stMain"] *')) {
            const right = box.getBoundingClientRect().right;
            const inside = box.closest('.tl-scroll, svg, [data-testid="stCode"], .tl-sr');
            if (right > limit + 1 && !inside)
                wide.push(`${box.tagName}.${box.className} ${Math.round(right)}`);
        }
        return wide.slice(0, 8);
        """
    )
    return found


def requests(browser: Chrome) -> list[str]:
    """Every address that was asked for since the last call, web sockets too."""
    found = []
    for entry in browser.get_log("performance"):
        message = json.loads(entry["message"])["message"]
        if message["method"] == "Network.requestWillBeSent":
            found.append(message["params"]["request"]["url"])
        elif message["method"] == "Network.webSocketCreated":
            found.append(message["params"]["url"])
    return found
