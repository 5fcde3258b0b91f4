"""`tidelake docs`: the documentation of silver and gold."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tidelake.cli.context import settings_of


def docs(
    ctx: typer.Context,
    into: Annotated[
        Path | None, typer.Option("--into", help="folder for the pages (default: in the home)")
    ] = None,
    serve: Annotated[bool, typer.Option(help="serve them on 127.0.0.1 until Ctrl-C")] = True,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="0: a free one")] = 0,
) -> None:
    """Writes dbt's documentation of silver and gold and serves it: models, columns, tests, lineage.

    Examples: `tidelake docs`, `tidelake docs --no-serve --into site`
    """
    from tidelake.pipeline import dbt_docs
    from tidelake.pipeline.stopping import Stop

    settings = settings_of(ctx)
    folder = into or settings.home / "dbt" / "docs"
    stop = Stop().on_signals() if serve else Stop()
    dbt_docs.write(settings, folder, lambda said: typer.echo(said, err=True))
    typer.echo(f"{folder / 'index.html'}")
    if serve:
        dbt_docs.serve(folder, port, stop, typer.echo)
