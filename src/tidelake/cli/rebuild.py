"""`tidelake rebuild LAYER`: a layer made anew from the one before it, then exchanged."""

from __future__ import annotations

import logging
from typing import Annotated, Literal

import typer

from tidelake.cli.context import settings_of
from tidelake.errors import UsageError


def rebuild(
    ctx: typer.Context,
    layer: Annotated[Literal["raw", "silver", "gold"], typer.Argument(help="which layer")],
    everything: Annotated[
        bool, typer.Option("--all", help="raw: also the days that its retention has dropped")
    ] = False,
) -> None:
    """Makes a layer anew beside the one in use, and puts it in its place when it is whole.

    `raw` comes from the lake; its rows keep their load and day of load. Loading waits meanwhile,
    readers do not. `silver` comes from raw, and gold after it; `gold` comes from silver. A running
    pipeline goes on meanwhile. It may be stopped and run again.

    Silver is made of all of raw: where retention has dropped days, bring them back first by
    `--all`; retention keeps them until silver was rebuilt. A rebuild of silver that was stopped
    goes on where it was.

    Examples: `tidelake rebuild raw`, `tidelake rebuild raw --all`, `tidelake rebuild silver`
    """
    if layer == "raw":
        _raw(ctx, everything)
    elif everything:
        raise UsageError(f"--all is of raw, not of {layer}", hint=f"tidelake rebuild {layer}")
    else:
        _by_dbt(ctx, layer)


def _by_dbt(ctx: typer.Context, layer: Literal["silver", "gold"]) -> None:
    from tidelake.pipeline.stopping import Stop
    from tidelake.pipeline.transform_once import Wish, transform_once

    logging.basicConfig(format="%(message)s", level=logging.WARNING)
    # Gold follows silver: its figures are those of rows that are no more.
    wishes = [Wish("silver", full=True), Wish("gold")] if layer == "silver" else []
    stop = Stop().on_signals()
    for wish in wishes or [Wish("gold", full=True)]:
        transform_once(settings_of(ctx), wish, stop, typer.echo, lambda *_: None)


def _raw(ctx: typer.Context, everything: bool) -> None:
    from datetime import UTC, datetime

    from tidelake.pipeline.lakehouse import opened
    from tidelake.pipeline.rebuild_raw import rebuild_raw

    with opened(settings_of(ctx), role="ingest") as lakehouse:
        today = datetime.now(UTC).date()
        found = rebuild_raw(lakehouse, today, typer.echo, dropped_too=everything)
    for table in found:
        typer.echo(
            f"raw.{table.table} is made anew: {table.rows:,} rows; the ledger lacked "
            f"{table.loaded:,} of the lake's, and had {table.removed:,} that are not in it"
        )
