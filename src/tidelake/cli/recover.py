"""`tidelake recover`: the lake after its database was lost."""

from __future__ import annotations

import typer

from tidelake.cli.context import settings_of


def recover(ctx: typer.Context) -> None:
    """Finds the lake again after the PostgreSQL folder was lost: it holds the catalog.

    The tables are registered as their last commits left them (`metadata/version-hint.text`), and
    the inbox goes on from the positions in them. May be run again; what is known stays.

    Examples: `tidelake recover`, then `tidelake status --recount`
    """
    from tidelake.pipeline.lake import recover as find

    for table in find(settings_of(ctx)):
        typer.echo(
            f"events_db.{table.table}: {table.rows:,} rows in {table.files:,} files "
            f"({table.metadata_location.rpartition('/')[2]})"
        )
    typer.echo("check it: tidelake status --recount")
