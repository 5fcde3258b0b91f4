"""`tidelake rebuild LAYER`: a layer made anew from the one before it, then exchanged."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from tidelake.cli.context import settings_of


def rebuild(
    ctx: typer.Context,
    layer: Annotated[Literal["raw"], typer.Argument(help="which layer")],
) -> None:
    """Makes a layer anew beside the one in use, and puts it in its place when it is whole.

    `raw` comes from the lake; its rows keep their load and day of load. Loading waits meanwhile,
    readers do not. It may be stopped and run again.

    Example: `tidelake rebuild raw`
    """
    _raw(ctx)


def _raw(ctx: typer.Context) -> None:
    from datetime import UTC, datetime

    from tidelake.pipeline.lakehouse import opened
    from tidelake.pipeline.rebuild_raw import rebuild_raw

    with opened(settings_of(ctx), role="ingest") as lakehouse:
        found = rebuild_raw(lakehouse, datetime.now(UTC).date(), typer.echo)
    for table in found:
        typer.echo(
            f"raw.{table.table} is made anew: {table.rows:,} rows; the ledger lacked "
            f"{table.loaded:,} of the lake's, and had {table.removed:,} that are not in it"
        )
