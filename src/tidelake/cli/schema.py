"""`tidelake schema`: the event contract, for people and for other tools."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="The event contract: its columns and its schemas.")


@app.command()
def show(
    table: Annotated[str, typer.Argument(help="events or rejected_events")] = "events",
) -> None:
    """Shows the columns of a table: name, type, path in a native event, meaning.

    Example: `tidelake schema show rejected_events`
    """
    from rich.console import Console
    from rich.table import Table

    from tidelake.pipeline.describe import columns

    if table not in ("events", "rejected_events"):
        raise typer.BadParameter("choose events or rejected_events")
    shown = Table("column", "type", "path", "meaning", box=None, pad_edge=False)
    for row in columns(table):
        shown.add_row(*row)
    Console().print(shown)


@app.command("export")
def export_schema(
    language: Annotated[
        str, typer.Argument(help="arrow, iceberg, postgres, prisma, jsonschema, columns or all")
    ],
    into: Annotated[
        Path | None, typer.Option("--into", help="with `all`: the folder to write the files to")
    ] = None,
) -> None:
    """Prints the contract in another language, or writes all generated files.

    Examples: `tidelake schema export prisma`, `tidelake schema export all --into .`
    """
    if language == "all":
        from tidelake.pipeline.describe import write_exports

        for path in write_exports(into or Path()):
            typer.echo(f"wrote {path}", err=True)
        return
    from tidelake.event.export import export

    typer.echo(export(language), nl=False)
