"""`tidelake raw`: the raw layer in PostgreSQL."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from tidelake.cli import screen
from tidelake.cli.context import settings_of

app = typer.Typer(
    no_args_is_help=True,
    help="The raw layer in PostgreSQL: what is loaded, what was refused.",
)

Limit = Annotated[int, typer.Option("--limit", "-n", min=1, help="newest rows")]
Json = Annotated[bool, typer.Option("--json", help="JSON instead of tables")]


@app.command()
def status(ctx: typer.Context, limit: Limit = 5, as_json: Json = False) -> None:
    """Shows what is loaded of each table, and when raw was last compared with the lake in full.

    Examples: `tidelake raw status`, `tidelake raw status --json | jq '.tables[].rows'`
    """
    from dataclasses import asdict

    from tidelake.pipeline.lakehouse import opened
    from tidelake.pipeline.raw import reconciled, tables

    with opened(settings_of(ctx)) as lakehouse:
        found, compared = tables(lakehouse), reconciled(lakehouse, limit)
    if as_json:
        document = {
            "tables": [{"table": t.table, **asdict(t.totals), "days": t.days} for t in found],
            "compared": [asdict(one) for one in compared],
        }
        typer.echo(json.dumps(document, indent=2, default=str))
        return
    rows = [
        (
            t.table,
            t.totals.rows,
            t.totals.set_aside,
            t.totals.files,
            t.totals.last_load_id,
            t.totals.watermark,
            f"{t.days[0]} to {t.days[-1]}" if t.days else "none",
        )
        for t in found
    ]
    columns = ("table", "rows", "set aside", "files", "last load", "lake sequence", "days of load")
    out = screen.console()
    out.print(screen.table(columns, rows, ("rows", "set aside", "files", *columns[4:6])))
    if compared:
        out.print()
        shown = [(c.at, c.table, c.loaded, c.removed, c.unexplained, c.reason) for c in compared]
        names = ("compared at", "table", "loaded", "removed", "untold", "because")
        out.print(screen.table(names, shown, "loaded removed untold"))


@app.command("set-aside")
def set_aside(ctx: typer.Context, limit: Limit = 20, as_json: Json = False) -> None:
    """Lists rows of the lake that PostgreSQL refused, with the reason; the lake has them all.

    Examples: `tidelake raw set-aside`, `tidelake raw set-aside --json | jq '.[0].record'`
    """
    from dataclasses import asdict

    from tidelake.pipeline.lakehouse import opened
    from tidelake.pipeline.raw import set_aside as refused

    with opened(settings_of(ctx)) as lakehouse:
        found = refused(lakehouse, limit)
    if as_json:
        typer.echo(json.dumps([asdict(row) for row in found], indent=2, default=str))
    elif found:
        columns = ("at", "table", "load", "row", "record", "reason")
        rows = [
            (r.at, r.table, r.load_id, r.row_number, r.source_position, r.reason) for r in found
        ]
        screen.console().print(screen.table(columns, rows, "load row"))
    else:
        typer.echo("none: PostgreSQL took every row")
