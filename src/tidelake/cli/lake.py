"""`tidelake lake`: the tables themselves."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tidelake.cli import screen
from tidelake.cli.context import settings_of

if TYPE_CHECKING:
    from collections.abc import Sequence

app = typer.Typer(
    no_args_is_help=True,
    help="The lake's tables: numbers, states, files, care, new columns, the way back.",
)

Table = Annotated[str, typer.Argument(help="events or rejected_events")]
Json = Annotated[bool, typer.Option("--json", help="JSON instead of tables")]


@app.command()
def status(ctx: typer.Context, as_json: Json = False) -> None:
    """Shows both tables in numbers: rows, files, sizes, snapshots, manifests, metadata; and days.

    Examples: `tidelake lake status`, `tidelake lake status --json | jq '.[0].days[-1]'`
    """
    from dataclasses import asdict

    from tidelake.pipeline.lake import numbers
    from tidelake.pipeline.lakehouse import opened

    with opened(settings_of(ctx)) as lakehouse:
        tables = numbers(lakehouse)
    if as_json:
        _print_json([asdict(table) for table in tables])
        return
    out = screen.console()
    rows: list[tuple[str, list[object]]] = [
        ("rows", [t.rows for t in tables]),
        ("files", [t.files for t in tables]),
        ("small files", [t.small_files for t in tables]),
        ("size", [screen.size(t.bytes) for t in tables]),
        ("bytes a row", [f"{t.bytes_per_row:.0f}" for t in tables]),
        ("columns", [t.columns for t in tables]),
        ("snapshots", [t.snapshots for t in tables]),
        ("tags", [t.tags for t in tables]),
        ("manifests", [t.manifests for t in tables]),
        ("manifest size", [screen.size(t.manifest_bytes) for t in tables]),
        ("metadata files", [t.metadata_files for t in tables]),
        ("metadata size", [screen.size(t.metadata_bytes) for t in tables]),
        ("rewritten by care", [screen.size(t.rewritten_bytes) for t in tables]),
        ("write amplification", [f"{t.write_amplification:.2f}" for t in tables]),
        ("location", [t.location for t in tables]),
    ]
    names = [t.table for t in tables]
    out.print(screen.table(("", *names), [(name, *values) for name, values in rows], names))
    for table in tables:
        days = [
            (
                table.table,
                d.day,
                d.rows,
                d.files,
                d.small_files,
                d.sorted_files,
                screen.size(d.bytes),
            )
            for d in table.days
        ]
        columns = ("table", "day", "rows", "files", "small", "sorted", "size")
        if days:
            out.print()
            out.print(screen.table(columns, days, "rows files small sorted size"))


@app.command()
def snapshots(
    ctx: typer.Context,
    table: Table = "events",
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="newest states")] = 20,
    as_json: Json = False,
) -> None:
    """Lists the states that a table still has, the newest last; `sql --as-of` reads them.

    Examples: `tidelake lake snapshots`, `tidelake lake snapshots rejected_events --limit 1000`
    """
    _states(ctx, table, limit, as_json, tagged=False)


@app.command()
def tags(
    ctx: typer.Context,
    table: Table = "events",
    make: Annotated[
        str, typer.Option("--make", metavar="NAME", help="tag a state, so that it stays")
    ] = "",
    at: Annotated[
        str, typer.Option("--at", metavar="SNAPSHOT", help="with --make: not the current state")
    ] = "",
    as_json: Json = False,
) -> None:
    """Lists the tagged states of a table, or tags one.

    Care makes hourly and daily tags and drops them in time; one that you make stays.

    Examples: `tidelake lake tags`, `tidelake lake tags --make before-migration`,
    `tidelake sql "select count(*) from events" --as-of before-migration`
    """
    if not make:
        _states(ctx, table, None, as_json, tagged=True)
        return
    from tidelake.pipeline.lake import tag
    from tidelake.pipeline.lakehouse import opened

    with opened(settings_of(ctx)) as lakehouse:
        state = tag(lakehouse, table, make, at)
    typer.echo(f"{table} of {state.at.isoformat()} ({state.rows:,} rows) is tagged {make}")


@app.command()
def files(ctx: typer.Context, table: Table = "events", as_json: Json = False) -> None:
    """Lists the live files of a table in order of arrival.

    Examples: `tidelake lake files`, `tidelake lake files --json | jq -r .[].location`
    """
    from tidelake.pipeline.lake import files as listed
    from tidelake.pipeline.lakehouse import opened

    with opened(settings_of(ctx)) as lakehouse:
        found = listed(lakehouse, table)
    columns = ("day", "rows", "bytes", "sequence", "by care", "sorted", "location")
    rows = [
        (f.day, f.rows, f.size, f.sequence_number, f.rewritten, f.sort_order > 0, f.location)
        for f in found
    ]
    _listed(columns, rows, "rows bytes sequence", as_json)


@app.command()
def care(ctx: typer.Context) -> None:
    """Looks after the tables once, now: compacts, tags, expires, removes what nothing needs.

    `tidelake up` does this by itself; it may run beside it.

    Example: `tidelake lake care`
    """
    from tidelake.pipeline.lake import care as look_after
    from tidelake.pipeline.lakehouse import opened

    with opened(settings_of(ctx)) as lakehouse:
        reports = look_after(lakehouse, datetime.now(UTC))
    for report in reports:
        for day, count, size in report.rewrites:
            typer.echo(f"{report.table}: {count} files of {day} became one of {screen.size(size)}")
        typer.echo(
            f"{report.table}: {len(report.rewrites)} compactions, tags made: "
            f"{', '.join(report.tags) or 'none'}, {report.expired} snapshots expired, "
            f"{report.removed} files and {report.orphans} orphans removed"
            + (f"; not compacted: {report.left_alone}" if report.left_alone else "")
        )


@app.command()
def evolve(
    ctx: typer.Context,
    path: Annotated[str, typer.Argument(help="in _doc: .page.section")],
    kind: Annotated[
        str, typer.Option("--type", help="string, long, double, boolean or timestamp")
    ] = "string",
    name: Annotated[
        str, typer.Option("--as", metavar="COLUMN", help="name; else the path joined by _")
    ] = "",
    meaning: Annotated[str, typer.Option("--meaning", help="what it is, in a sentence")] = "",
) -> None:
    """Adds a column to events that is filled from a path in `_doc`, for all data from now on.

    Older rows have null in it; their `_doc` still holds the value.

    Examples: `tidelake lake evolve .page.section`,
    `tidelake lake evolve .cart.value --type double --as cart_value`
    """
    from tidelake.pipeline.lake import add_column
    from tidelake.pipeline.lakehouse import opened

    with opened(settings_of(ctx)) as lakehouse:
        field = add_column(lakehouse, path, kind, name, meaning)
    typer.echo(f"events has the column {field.name} ({field.type.value}) from {path}")


@app.command()
def rollback(
    ctx: typer.Context,
    to: Annotated[str, typer.Argument(help="a time, a tag or a snapshot id")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="do not ask")] = False,
) -> None:
    """Makes events what it was. Rows that came since are removed and are not taken again.

    They stay readable by snapshot id until care expires it, and a rollback to that state brings
    them back. The books count them as rolled back.

    Examples: `tidelake lake rollback "10 minutes ago"`, `tidelake lake rollback before-migration`
    """
    from uuid import uuid4

    from tidelake.pipeline.lake import plan_rollback, roll_back
    from tidelake.pipeline.lakehouse import opened

    with opened(settings_of(ctx)) as lakehouse:
        plan = plan_rollback(lakehouse, to, datetime.now(UTC))
        change = f"{abs(plan.rows_removed):,} rows " + (
            "are removed" if plan.rows_removed >= 0 else "come back"
        )
        typer.echo(
            f"events as of {plan.target.at.isoformat()} (snapshot {plan.target.snapshot_id}): "
            f"{plan.target.rows:,} rows; {change}"
        )
        if not yes:
            typer.confirm("Roll back?", abort=True)
        state = roll_back(lakehouse, plan, uuid4())
    typer.echo(f"events has {state.rows:,} rows (snapshot {state.snapshot_id})")
    if plan.rows_removed > 0:
        typer.echo(
            "What was removed counts as taken: a file that brought it is not taken again as it "
            "is. To load it anew, add an empty line to its end, which makes it another file."
        )


def _states(
    ctx: typer.Context, table: str, limit: int | None, as_json: bool, *, tagged: bool
) -> None:
    from tidelake.pipeline.lake import snapshots as known
    from tidelake.pipeline.lakehouse import opened

    with opened(settings_of(ctx)) as lakehouse:
        states = [state for state in known(lakehouse, table) if state.tags or not tagged]
    columns = ("at", "snapshot", "operation", "rows", "files", "current", "tags")
    rows = [
        (s.at, str(s.snapshot_id), s.operation, s.rows, s.files, s.current, " ".join(s.tags))
        for s in states[-limit if limit else None :]
    ]
    _listed(columns, rows, "snapshot rows files", as_json)


def _listed(
    columns: Sequence[str], rows: Sequence[Sequence[object]], right: str, as_json: bool
) -> None:
    if as_json:
        _print_json([dict(zip(columns, row, strict=True)) for row in rows])
    elif rows:
        screen.console().print(screen.table(columns, rows, right))
    else:
        typer.echo("none")


def _print_json(document: Any) -> None:
    typer.echo(json.dumps(document, indent=2, default=str))
