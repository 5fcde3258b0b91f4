"""`tidelake rejected`: what was set aside, why, and what became of it."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from tidelake.cli import screen
from tidelake.cli.context import settings_of

if TYPE_CHECKING:
    from tidelake.pipeline.rejected import Where
    from tidelake.pipeline.replay import Replay

app = typer.Typer(
    no_args_is_help=True,
    help="Records that could not become events: see them, export them, replay them.",
)

Reasons = Annotated[
    list[str] | None, typer.Option("--reason", help="only this reason; may be given again")
]
Column = Annotated[str, typer.Option("--field", help="only this column at fault")]
Project = Annotated[str, typer.Option("--project", help="only this project")]
Since = Annotated[
    str, typer.Option("--since", metavar="TIME", help="received since: 2026-11-23, yesterday, 2h")
]
Until = Annotated[str, typer.Option("--until", metavar="TIME", help="received before")]
Pending = Annotated[bool, typer.Option("--pending", help="only those that were not replayed")]
Positions = Annotated[
    list[str] | None, typer.Argument(metavar="POSITION", help="only these records")
]
NOTHING = Path("-")


@app.command("list")
def list_rejected(
    ctx: typer.Context,
    reason: Reasons = None,
    field: Column = "",
    project: Project = "",
    since: Since = "",
    until: Until = "",
    pending: Pending = False,
    limit: Annotated[int, typer.Option("--limit", "-n", min=0, help="rows to show")] = 20,
) -> None:
    """Counts rejected records by reason and shows the newest.

    Examples: `tidelake rejected list`, `tidelake rejected list --reason too_early --since 1d`,
    `tidelake rejected list --pending --limit 0`
    """
    from tidelake.pipeline.lakehouse import opened
    from tidelake.pipeline.rejected import find

    where = _where(reason, field, project, since, until, pending)
    with opened(settings_of(ctx)) as lakehouse:
        found = find(lakehouse, where, limit)
    out = screen.console()
    if not found.by_reason:
        out.print("no rejected records")
        return
    out.print(screen.table(("reason", "records"), found.by_reason.items(), "records"))
    columns = ("received_at", "reason", "field", "detail", "project", "format", "replayed")
    if found.rows:
        rows = [[row[name] for name in (*columns, "source_position")] for row in found.rows]
        out.print()
        out.print(screen.table((*columns, "position"), rows))


@app.command()
def show(
    ctx: typer.Context,
    position: Annotated[str, typer.Argument(help="as `tidelake rejected list` shows it")],
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object")] = False,
) -> None:
    """Shows everything of one rejected record, its bytes as text or, where they are none, in hex.

    Example: `tidelake rejected show inbox/0b0f4e6c-8c0e-4b7e-9a53-0d4b3c1a2f10/0/4711`
    """
    import json

    from tidelake.pipeline.lakehouse import opened
    from tidelake.pipeline.rejected import as_document
    from tidelake.pipeline.rejected import show as look_up

    with opened(settings_of(ctx)) as lakehouse:
        row = look_up(lakehouse, position)
    if as_json:
        typer.echo(json.dumps(as_document(row), indent=2))
        return
    for name, value in row.items():
        if name != "body":
            typer.echo(f"{name:<16} {screen.shown(value)}")
    typer.echo(f"{'body':<16} {len(row['body']):,} bytes\n")
    typer.echo(_readable(row["body"]))


@app.command()
def export(
    ctx: typer.Context,
    reason: Reasons = None,
    field: Column = "",
    project: Project = "",
    since: Since = "",
    until: Until = "",
    pending: Pending = False,
    write: Annotated[
        Literal["ndjson", "raw", "parquet"],
        typer.Option("--format", "-f", help="raw: the bodies alone, one a line"),
    ] = "ndjson",
    output: Annotated[Path, typer.Option("--output", "-o", help="file; - is stdout")] = NOTHING,
    limit: Annotated[int | None, typer.Option("--limit", "-n", min=1, help="at most")] = None,
) -> None:
    """Writes rejected records to a file: with every column, or the bodies alone.

    To mend records by hand: `tidelake rejected export --reason missing_field --format raw -o
    mend.ndjson`, edit the file, `tidelake ingest mend.ndjson`.
    """
    from tidelake.errors import UsageError
    from tidelake.pipeline.answer_file import answer_file
    from tidelake.pipeline.lakehouse import opened
    from tidelake.pipeline.rejected import export_lines, export_parquet

    where = _where(reason, field, project, since, until, pending)
    if write == "parquet" and output == NOTHING:
        raise UsageError("Parquet is not written to stdout", hint="Name a file with --output.")
    with opened(settings_of(ctx)) as lakehouse:
        if write == "parquet":
            with answer_file(output) as file:
                written = export_parquet(lakehouse, where, file, limit)
        elif output == NOTHING:
            written = export_lines(lakehouse, where, sys.stdout.buffer, write, limit)
            sys.stdout.flush()
        else:
            with answer_file(output) as file:
                written = export_lines(lakehouse, where, file, write, limit)
    typer.echo(f"{written:,} records", err=True)


@app.command()
def replay(
    ctx: typer.Context,
    positions: Positions = None,
    reason: Reasons = None,
    field: Column = "",
    project: Project = "",
    since: Since = "",
    until: Until = "",
    format: Annotated[
        Literal["native", "segment", "cloudevents"] | None,
        typer.Option(help="judge them as this, whatever they were taken for"),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="say what would pass; change nothing")
    ] = False,
    max_age_days: Annotated[
        float | None, typer.Option(min=0, help="accept times this many days before receipt")
    ] = None,
    max_ahead_h: Annotated[
        float | None, typer.Option(min=0, help="accept times this many hours after receipt")
    ] = None,
    max_event_bytes: Annotated[
        int | None, typer.Option(min=1, help="accept records of this many bytes")
    ] = None,
) -> None:
    """Judges rejected records again; those that pass now become events, each exactly once.

    Today's settings and registry decide, or the limits given here. The records keep their old
    positions; those that fail again stay as they are. May be run again, beside `tidelake up` and
    beside itself.

    Examples: `tidelake rejected replay --dry-run`, `tidelake rejected replay --reason too_early
    --max-age-days 4000`, `tidelake rejected replay --reason unprocessable --since 1d`,
    `tidelake rejected replay --since 1h --format segment` (a file ingested as another format)
    """
    from tidelake.pipeline.lakehouse import opened
    from tidelake.pipeline.replay import replay as judge_again
    from tidelake.pipeline.replay import rules_with

    where = _where(reason, field, project, since, until, True, positions)
    settings = settings_of(ctx)
    rules = rules_with(settings, max_age_days, max_ahead_h, max_event_bytes)
    with opened(settings) as lakehouse:
        done = judge_again(lakehouse, where, rules, format=format, dry_run=dry_run)
    _told(done, dry_run)


def _told(done: Replay, dry_run: bool) -> None:
    out = screen.console()
    verb = "would be events" if dry_run else "are events now"
    out.print(f"{done.passed:,} records {verb}, {done.still.total():,} are still rejected")
    if done.by_type:
        rows = done.by_type.most_common()
        out.print(screen.table(("event_type", "records"), rows, "records"))
    if done.still:
        rows = done.still.most_common()
        out.print(screen.table(("still rejected as", "records"), rows, "records"))


def _where(
    reasons: list[str] | None,
    field: str,
    project: str,
    since: str,
    until: str,
    pending: bool,
    positions: list[str] | None = None,
) -> Where:
    from datetime import UTC

    from tidelake.pipeline.moments import moment
    from tidelake.pipeline.rejected import Where

    now = datetime.now(UTC)
    return Where(
        reasons=tuple(reasons or ()),
        field=field,
        project=project,
        since=moment(since, now) if since else None,
        until=moment(until, now) if until else None,
        positions=tuple(positions or ()),
        pending=pending,
    )


def _readable(body: bytes) -> str:
    """Text as it is, anything that a terminal could act on or not show as a hex dump."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return _hex(body)
    return text if all(c.isprintable() or c in "\n\t" for c in text) else _hex(body)


def _hex(body: bytes) -> str:
    lines = []
    for at in range(0, len(body), 16):
        part = body[at : at + 16]
        text = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in part)
        lines.append(f"{at:08x}  {part.hex(' '):<47}  {text}")
    return "\n".join(lines)
