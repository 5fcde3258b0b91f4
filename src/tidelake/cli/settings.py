"""`tidelake settings`: what can be set, what is set, and where."""

from __future__ import annotations

from typing import Annotated

import typer

from tidelake.cli.context import home_of, settings_of


def settings(
    ctx: typer.Context,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="print docs/settings.md: every default")
    ] = False,
) -> None:
    """Shows every setting: its variable, the value in force, where that is from, what it is.

    Settings come from `TIDELAKE_*` variables, then `tidelake.toml`, then defaults. Passwords are
    not shown.
    """
    from tidelake.pipeline.describe import settings_markdown, settings_rows

    if markdown:
        typer.echo(settings_markdown(), nl=False)
        return
    from rich.console import Console
    from rich.table import Column, Table
    from rich.text import Text

    from tidelake.settings import origins

    read, origin = settings_of(ctx), origins(home=home_of(ctx))
    shown = Table(
        Column("variable", no_wrap=True), "value", "from", "meaning", box=None, pad_edge=False
    )
    for variable, _, value, meaning in settings_rows(read):
        # As texts: a value is no markup.
        shown.add_row(variable, Text(value, overflow="fold"), origin[variable], meaning)
    Console().print(shown)
