"""The dashboard part: Streamlit serves the pages over this home's gold."""

from __future__ import annotations

from pathlib import Path

from tidelake.dashboard.live import Silent
from tidelake.settings import Settings, load


def draw(home: str) -> None:
    """Draws one visitor's page: what the script that Streamlit runs calls."""
    from tidelake.dashboard.app import draw

    settings = load(home=home)
    draw(settings.home, Silent())


def serve(settings: Settings) -> None:
    """Serves until SIGTERM or Ctrl-C."""
    from streamlit.web import bootstrap

    from tidelake.dashboard import theme

    options = {
        **theme.OPTIONS,
        "server.address": settings.dashboard.host,
        "server.port": settings.dashboard.port,
    }
    flags = {name.replace(".", "_"): value for name, value in options.items()}
    bootstrap.load_config_options(flags)
    script = Path(__file__).with_name("dashboard_script.py")
    bootstrap.run(str(script), False, [str(settings.home)], flags)
