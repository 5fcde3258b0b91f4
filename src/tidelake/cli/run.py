"""`tidelake run PART`: one part of the pipeline alone, for a process manager of your own."""

from __future__ import annotations

import logging
from importlib import import_module
from typing import Annotated, Literal

import typer

from tidelake.cli.context import settings_of


def run(
    ctx: typer.Context,
    part: Annotated[
        Literal["collect", "ingest", "care", "load", "transform", "alerts", "dashboard"],
        typer.Argument(help="which part"),
    ],
    parent: Annotated[
        int | None, typer.Option(hidden=True, help="process whose end ends this one")
    ] = None,
) -> None:
    """Runs one part of the pipeline in the foreground until SIGTERM or Ctrl-C.

    `tidelake up` runs them all; use this under systemd or in containers. Exit code 3 says that the
    setup is broken and that starting the part again would not help.

    Example: `tidelake run ingest`
    """
    from tidelake.pipeline.stopping import Stop
    from tidelake.pipeline.supervise import die_with_parent

    logging.basicConfig(
        format="%(asctime)s %(levelname)s %(name)s: %(message)s", level=logging.INFO
    )
    logging.getLogger("pyiceberg").setLevel(logging.WARNING)  # a line for each FileIO it opens
    die_with_parent(parent)
    settings = settings_of(ctx)
    if part == "collect":
        from tidelake.pipeline.collect import serve

        serve(settings, typer.echo)
    else:
        import_module(f"tidelake.pipeline.{part}").run(settings, Stop().on_signals())
