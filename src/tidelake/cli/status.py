"""`tidelake status`: is everything there, and does it add up?"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from tidelake.cli import screen
from tidelake.cli.context import settings_of

if TYPE_CHECKING:
    from rich.console import Console

    from tidelake.pipeline.status import Status


def status(
    ctx: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object")] = False,
    recount: Annotated[
        bool, typer.Option("--recount", help="count every row and every record number for real")
    ] = False,
) -> None:
    """Shows the parts, how far each layer is, the inbox, the lake, the rejects, and whether the
    books balance over all layers: lake, raw, silver and gold.

    Exits with 1 and names the layer and what is wrong in it when they do not: a file of the lake
    that is missing, a position, a row or a figure changed by hand, a record that is nowhere or
    twice. Works while `tidelake up` runs and while nothing does. `--recount` counts for real in
    every layer, and makes gold once more from all of silver to compare its figures.

    Examples: `tidelake status`, `tidelake status --recount`,
    `tidelake status --json | jq .books`
    """
    from tidelake.pipeline.status import as_json as document
    from tidelake.pipeline.status import status as look

    found = look(settings_of(ctx), count=recount)
    if as_json:
        typer.echo(json.dumps(document(found), indent=2, default=str))
    else:
        show(found, screen.console())
    if not found.balanced:
        raise typer.Exit(1)


def show(found: Status, out: Console) -> None:
    """The status as tables, the verdict last."""
    _parts(found, out)
    _lags(found, out)
    _layers(found, out)
    _rejects(found, out)
    _books(found, out)
    _layer_books(found, out)
    for finding in found.findings:
        out.print(f"[bold red]WRONG[/] {_layer(finding.layer)}: ", end="")
        out.print(finding.sentence, markup=False, soft_wrap=True)
    if found.balanced:
        how = "counted for real" if found.recount else "by the counters; --recount counts rows"
        out.print(f"[bold green]the books balance[/] ({how})")


def _parts(found: Status, out: Console) -> None:
    if not found.parts:
        out.print("no part runs (`tidelake up` starts them)\n")
        return
    rows = [(p.part, p.state, str(p.pid), f"{p.age_s:.0f} s ago", p.alert) for p in found.parts]
    out.print(screen.table(("part", "state", "pid", "last word", "alert"), rows, "pid"))
    out.print()


def _layer(name: str) -> str:
    """The lake's findings say which table, or that a position is meant."""
    return name if name in ("lake", "raw", "silver", "gold") else f"lake, {name}"


def _lags(found: Status, out: Console) -> None:
    rows = [
        (
            lag.layer,
            f"{lag.waiting:,} {lag.what}" if lag.waiting else "nothing",
            lag.rows if lag.waiting else None,
            None if not lag.waiting or lag.seconds is None else screen.ago(lag.seconds),
        )
        for lag in found.layers.lags
    ]
    out.print(screen.table(("layer", "waits for it", "rows", "the oldest came"), rows, "rows"))
    if (gold := found.layers.gold) is not None:
        out.print(
            f"gold is version {gold.version:,}, up to load {gold.to_load_id:,}, published "
            f"{screen.ago(gold.age_s)}"
        )
    out.print()


def _layers(found: Status, out: Console) -> None:
    lanes = [
        (
            lane.stream,
            lane.mark,
            max(lane.mark - found.look.events.positions.get(lane.stream, 0), 0),
            screen.size(lane.unreleased_bytes),
            lane.claimed,
        )
        for lane in found.look.lanes
    ]
    lane_columns = ("inbox lane", "accepted", "waiting", "backlog", "written to")
    out.print(screen.table(lane_columns, lanes, "accepted waiting backlog"))
    out.print()
    tables = [
        (
            facts.name,
            facts.rows,
            len(facts.files),
            screen.size(facts.bytes),
            facts.snapshots,
            facts.tags,
            screen.size(facts.metadata_bytes),
            screen.ago(None if facts.committed_at is None else found.at - facts.committed_at),
        )
        for facts in (found.look.events, found.look.rejects)
    ]
    numbers = ("rows", "files", "size", "snapshots", "tags", "metadata")
    out.print(screen.table(("lake table", *numbers, "last commit"), tables, numbers))
    out.print()


def _rejects(found: Status, out: Console) -> None:
    rows = list(found.rejected_by_reason.items())
    if rows:
        out.print(screen.table(("rejected as", "records"), rows, "records"))
        out.print()


def _books(found: Status, out: Console) -> None:
    books = found.look.books
    rows: list[tuple[str, object]] = [
        ("accepted", books.total_accepted),
        ("events", books.events),
        ("+ rejected", books.rejected),
        ("− replayed", books.replayed),
        ("+ damaged", books.damaged),
        ("+ rolled back", books.rolled_back),
        ("+ waiting", books.waiting),
    ]
    if books.rejected_ahead:
        rows.append(("− rejects whose events are on the way", books.rejected_ahead))
    out.print(screen.table(("the books", "records"), rows, "records"))
    out.print()


def _layer_books(found: Status, out: Console) -> None:
    """The books beyond the lake: each layer against the one before it."""
    books, waiting = found.layers.books, found.layers.rows_waiting
    silver, gold = books.silver, books.gold
    rows: list[tuple[str, str, object, str]] = [
        (
            "raw",
            f"rows of the lake's {facts.name} = loaded + set aside + waiting",
            facts.rows,
            f"{raw.loaded:,} + {raw.set_aside:,} + {waiting.get(raw.table, 0):,}",
        )
        for facts, raw in (
            (found.look.events, books.events),
            (found.look.rejects, books.rejects),
        )
    ]
    rows += [
        (
            "silver",
            f"rows up to load {silver.to_load_id:,} = new events + repeats",
            silver.loaded,
            f"{silver.new_events:,} + {silver.repeats:,}",
        ),
        ("silver", "rejects = rejected events", silver.rejects_loaded, f"{silver.rejects:,}"),
    ]
    if gold is not None:
        what = f"new events up to load {gold.to_load_id:,} = events counted"
        rows.append(("gold", what, gold.expected, f"{gold.events:,}"))
    out.print(screen.table(("the books of", "", "came", "is there"), rows, "came"))
    out.print()
