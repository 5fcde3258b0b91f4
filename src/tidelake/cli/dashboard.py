"""`tidelake dashboard`: the pages over the published gold."""

from __future__ import annotations

import logging
from typing import Annotated

import typer

from tidelake.cli.context import overridden, settings_of


def dashboard(
    ctx: typer.Context,
    host: Annotated[str | None, typer.Option(help="address to listen on")] = None,
    port: Annotated[int | None, typer.Option(help="port to listen on; 0 takes a free one")] = None,
) -> None:
    """Serves the dashboard until Ctrl-C, whether or not the pipeline runs.

    `tidelake up` serves it together with all else. It shows what was published last; pages about
    the pipeline itself need PostgreSQL.

    Examples: `tidelake dashboard`, `tidelake dashboard --port 0`
    """
    from tidelake.pipeline.dashboard import run
    from tidelake.pipeline.stopping import Stop

    settings = settings_of(ctx)
    serving = overridden(settings.dashboard, {"host": host, "port": port}, "dashboard")
    logging.basicConfig(format="%(message)s", level=logging.INFO)
    run(settings.model_copy(update={"dashboard": serving}), Stop().on_signals())
