"""`tidelake transform`: silver and gold once, by hand."""

from __future__ import annotations

import logging
from typing import Annotated, Literal

import typer

from tidelake.cli import screen
from tidelake.cli.context import settings_of


def transform(
    ctx: typer.Context,
    layer: Annotated[
        Literal["silver", "gold"] | None, typer.Option("--layer", help="this layer alone")
    ] = None,
    select: Annotated[
        list[str] | None,
        typer.Option("--select", "-s", help="only these models, in dbt's words; may be repeated"),
    ] = None,
    full: Annotated[bool, typer.Option("--full", help="from all that is loaded, anew")] = False,
    test: Annotated[bool, typer.Option("--test", help="run the data tests afterwards")] = False,
) -> None:
    """Brings all that is loaded to silver and gold, once. `tidelake up` does it all the time.

    Works beside a running pipeline: it has its turn between two of its cycles. Ends with 1 and the
    name of the model where one fails; what was published stays. `--select` makes the chosen models
    again: those of silver for the last window, those of gold from all of silver.

    Examples: `tidelake transform`, `tidelake transform --test`,
    `tidelake transform --layer gold --select funnel`
    """
    from tidelake.pipeline.stopping import Stop
    from tidelake.pipeline.transform_once import Wish, transform_once

    logging.basicConfig(format="%(message)s", level=logging.WARNING)
    wish = Wish(layer, full, tuple(select or ()), test)
    out = screen.console()
    with out.status("reading the dbt project …") as status:

        def progress(model: str, ended: str, seconds: float) -> None:
            status.update(f"{model}: {ended} in {seconds:.1f} s")

        failed = transform_once(settings_of(ctx), wish, Stop().on_signals(), out.print, progress)
    for one in failed:
        out.print(f"failed: {one.layer} {one.test}: {screen.harmless(one.message)}")
    if failed:
        raise typer.Exit(1)
