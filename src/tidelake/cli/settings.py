"""`tidelake settings`: what can be set, what is set, and where."""

from __future__ import annotations

from typing import Annotated

import typer

from tidelake.cli.context import settings_of


def settings(
    ctx: typer.Context,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="print docs/settings.md: every default")
    ] = False,
) -> None:
    """Shows every setting: its variable, the value in force, and what it is.

    Settings come from `TIDELAKE_*` variables, then `tidelake.toml`, then defaults.
    """
    from tidelake.pipeline.describe import settings_markdown, settings_rows

    if markdown:
        typer.echo(settings_markdown(), nl=False)
        return
    from rich.console import Console
    from rich.table import Table

    shown = Table("variable", "value", "meaning", box=None, pad_edge=False)
    for variable, _, value, meaning in settings_rows(settings_of(ctx)):
        shown.add_row(variable, value, meaning)
    Console().print(shown)
