"""`tidelake ingest`: files into the lake."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from tidelake.cli.context import settings_of
from tidelake.errors import UsageError

if TYPE_CHECKING:
    from tidelake.pipeline.ingest_files import Ingested


def ingest(
    ctx: typer.Context,
    files: Annotated[
        list[str], typer.Argument(help="NDJSON, JSON array, gzip, zstd or Parquet; - is stdin")
    ],
    format: Annotated[
        Literal["native", "segment", "cloudevents"], typer.Option(help="what the records are")
    ] = "native",
    since: Annotated[
        datetime | None,
        typer.Option(help="take events as old as this; else three years", formats=["%Y-%m-%d"]),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="take a file though nearly all of it is rejected")
    ] = False,
) -> None:
    """Brings files to the lake, alone or beside a running `tidelake up`.

    What a file is, its first bytes say. Ctrl-C is safe: the same command goes on where it stopped.
    The same bytes are taken once, whatever the file is called and however often it is given. So
    a file whose first records are nearly all rejected is not taken at all, before you say --force.

    Examples: `tidelake ingest events.ndjson.gz`, `zcat old.gz | tidelake ingest -`,
    `tidelake ingest --since 2015-01-01 archive/*.parquet`
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    from tidelake.pipeline.ingest_files import ingest_files
    from tidelake.pipeline.lakehouse import opened
    from tidelake.pipeline.stopping import Stop

    stop = Stop().on_signals()
    settings = settings_of(ctx)
    days = _days_since(since, datetime.now(UTC)) if since else None
    shown = Progress(
        "ingesting",
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        disable=not sys.stderr.isatty(),
    )
    with opened(settings, role="ingest") as lakehouse, shown:
        task = shown.add_task("", total=None)
        results = ingest_files(
            lakehouse,
            files,
            stop,
            format=format,
            max_age_days=days,
            force=force,
            progress=lambda done, of: shown.update(task, completed=done, total=of),
        )
    for result in results:
        typer.echo(_sentence(result))
    if not all(result.whole for result in results):
        typer.echo("interrupted; the same command goes on from here", err=True)
        raise typer.Exit(130)


def _days_since(since: datetime, now: datetime) -> int:
    days = (now - since.replace(tzinfo=UTC)).days
    if days < 0:
        raise UsageError(
            f"--since {since:%Y-%m-%d} is in the future", hint="No event would be taken."
        )
    return days + 1


def _sentence(result: Ingested) -> str:
    if result.already:
        return f"{result.name}: {result.records:,} records, all in the lake already"
    return (
        f"{result.name}: {result.records:,} records; now {result.events:,} events, "
        f"{result.rejected:,} rejected"
    )
