"""`tidelake init`: the tables."""

from __future__ import annotations

import typer

from tidelake.cli.context import settings_of


def init(ctx: typer.Context) -> None:
    """Makes everything that is missing, any number of times: database, migrations, tables.

    Changes nothing that exists. `tidelake up` does it too.

    Examples: `tidelake init`, `TIDELAKE_LAKE_CATALOG=glue tidelake init`
    """
    from tidelake.pipeline.lake import numbers
    from tidelake.pipeline.lakehouse import opened

    settings = settings_of(ctx)
    with opened(settings) as lakehouse:
        typer.echo(f"home       {settings.home}")
        typer.echo(f"warehouse  {settings.warehouse} (catalog: {settings.lake.catalog})")
        for table in numbers(lakehouse):
            typer.echo(
                f"table      events_db.{table.table}: {table.columns} columns, "
                f"{table.rows:,} rows, {table.files:,} files"
            )
