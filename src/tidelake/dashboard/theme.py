"""How the pages look: Streamlit's options for both themes, and the style sheet.

Colours are those of Okabe and Ito (https://jfly.uni-koeln.de/color/), lightened where they stand
on dark ground.
"""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Any

LIGHT = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#7A8791")
DARK = ("#56B4E9", "#E69F00", "#2BC59A", "#E08DBF", "#8FB8FF", "#FF8F4D", "#8A99A5")
SEQUENCE = (
    "#e4f0f8", "#c8e0f0", "#a9cfe7", "#86bbdc", "#62a6d0",
    "#3f91c4", "#1f7fb8", "#0072b2", "#005a8e", "#00426a",
)  # fmt: skip

# Each also as `--<option>` of `streamlit run`. Streamlit's own texts, menu and statistics stay
# away, and nothing is watched: the pages are part of an installed package.
OPTIONS: dict[str, Any] = {
    "browser.gatherUsageStats": False,
    "client.toolbarMode": "minimal",
    "client.showErrorDetails": "none",
    "client.showErrorLinks": False,
    "global.developmentMode": False,
    "logger.hideWelcomeMessage": True,
    "logger.level": "warning",
    "runner.magicEnabled": False,
    "server.enableStaticServing": False,
    "server.fileWatcherType": "none",
    "server.headless": True,
    "server.runOnSave": False,
    "theme.baseRadius": "8px",
    "theme.font": "sans-serif",
    "theme.light.primaryColor": LIGHT[0],
    "theme.light.backgroundColor": "#ffffff",
    "theme.light.secondaryBackgroundColor": "#f4f7f9",
    "theme.light.textColor": "#14212b",
    "theme.light.borderColor": "#dbe3e9",
    "theme.light.chartCategoricalColors": list(LIGHT),
    "theme.light.chartSequentialColors": list(SEQUENCE),
    "theme.light.sidebar.backgroundColor": "#f4f7f9",
    "theme.dark.primaryColor": DARK[0],
    "theme.dark.backgroundColor": "#0b141a",
    "theme.dark.secondaryBackgroundColor": "#15212a",
    "theme.dark.textColor": "#e8eef2",
    "theme.dark.borderColor": "#2a3842",
    "theme.dark.chartCategoricalColors": list(DARK),
    "theme.dark.chartSequentialColors": list(reversed(SEQUENCE)),
    "theme.dark.sidebar.backgroundColor": "#0f1a22",
}

MARK = (
    '<g fill="none" stroke="currentColor" stroke-width="2.6" stroke-linecap="round">'
    '<path d="M2.5 9c3.8-4.6 7.7-4.6 11.5 0s7.7 4.6 11.5 0"/>'
    '<path d="M2.5 15.5c3.8-4.6 7.7-4.6 11.5 0s7.7 4.6 11.5 0" opacity=".65"/>'
    '<path d="M2.5 22c3.8-4.6 7.7-4.6 11.5 0s7.7 4.6 11.5 0" opacity=".35"/></g>'
)


@cache
def style() -> str:
    """The style sheet as an element."""
    sheet = resources.files(__package__ or "").joinpath("style.css").read_text("utf-8")
    return f"<style>{sheet}</style>"


_NAME = (
    '<text x="38" y="21.5" font-family="Segoe UI, Helvetica Neue, Arial, '
    'sans-serif" font-size="21" font-weight="700" letter-spacing="-.4" fill="currentColor">'
    "tidelake</text>"
)
_BLUE = "#2089C9"  # between both themes' accents: an image does not know on which ground it stands
ICON = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 28 28" color="{_BLUE}">{MARK}</svg>'
LOGO = (
    f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 124 30" width="124" height="30" '
    f'color="{_BLUE}">{MARK}{_NAME}</svg>'
)
