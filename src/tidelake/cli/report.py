"""`tidelake report`: a summary of a day or a week."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from tidelake.cli.context import day_of, settings_of


def report(
    ctx: typer.Context,
    kind: Annotated[Literal["daily", "weekly"], typer.Argument(help="a day, or Monday to Sunday")],
    day: Annotated[
        str, typer.Option("--day", metavar="DAY", help="the day, or a day of the week: 2026-11-23")
    ] = "",
    project: Annotated[str, typer.Option("--project", help="only this project")] = "",
    into: Annotated[
        Path | None,
        typer.Option("--into", help="folder to write to (default: reports in the home)"),
    ] = None,
) -> None:
    """Writes a summary report: key figures and their change, traffic, funnel, revenue, pages,
    acquisition, performance, data quality and the books.

    One HTML file with its pictures in it, which needs no network and prints well, and its tables as
    CSV and Parquet beside it. Without a day it is about the last one that is over. It asks the
    published gold: nothing needs to run.

    Examples: `tidelake report daily`, `tidelake report weekly --day 2026-11-18 --project shop`,
    `tidelake report daily --into /srv/reports`
    """
    from datetime import UTC, datetime

    from tidelake.pipeline.report import report as write

    settings = settings_of(ctx)
    folder = into or settings.home / "reports"
    written = write(settings.home, kind, day_of(day), project, folder, datetime.now(UTC))
    typer.echo(f"{written.title}\n{written.page}")
    typer.echo(f"{len(written.tables) // 2} tables as CSV and Parquet in {written.page.stem}/")
