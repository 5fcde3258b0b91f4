"""`tidelake up`: the whole pipeline until Ctrl-C."""

from __future__ import annotations

import math
from typing import Annotated

import typer

from tidelake.cli.context import settings_of
from tidelake.errors import UsageError


def up(
    ctx: typer.Context,
    generate: Annotated[
        float, typer.Option("--generate", metavar="RATE", help="mock events a second to send")
    ] = 0,
) -> None:
    """Runs everything until Ctrl-C: PostgreSQL, collector, ingest, care, loader, silver and gold,
    the dashboard, and the alert rules.

    Prints the addresses. A part that dies is started again and reported. Ctrl-C stops taking
    events, brings what was taken to the lake, says whether something is left, and ends.

    Examples: `tidelake up`, `tidelake up --generate 500`, `tidelake --home /data/lake up`
    """
    if not math.isfinite(generate) or generate < 0:
        raise UsageError(
            f"--generate {generate:g} is no rate", hint="Give events a second, like 500."
        )
    from tidelake.pipeline.stopping import Stop
    from tidelake.pipeline.up import up as run_all

    stop = Stop().on_signals()
    run_all(settings_of(ctx), stop, typer.echo, generate)
