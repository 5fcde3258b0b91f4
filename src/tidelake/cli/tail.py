"""`tidelake tail`: events and rejects as they come in."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tidelake.cli import screen
from tidelake.cli.context import settings_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import Console

    from tidelake.pipeline.tail import Row, Tail

LOOK_EVERY_S = 0.5
MOST_LINES = 200  # a look, on a terminal: nobody reads more
BODY_CHARACTERS = 80


def tail(
    ctx: typer.Context,
    accepted: Annotated[bool, typer.Option("--accepted", help="events alone")] = False,
    rejected: Annotated[bool, typer.Option("--rejected", help="rejected records alone")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object a line")] = False,
    count: Annotated[
        int | None, typer.Option("-n", "--lines", min=0, help="last rows to begin with")
    ] = None,
    since: Annotated[
        str, typer.Option("--since", metavar="TIME", help="begin with rows received since then")
    ] = "",
    follow: Annotated[
        bool, typer.Option("--follow/--no-follow", help="go on with what comes in")
    ] = True,
) -> None:
    """Shows rows of the lake, a line each, and goes on with those of each new commit.

    A good one: time, type, user, page or amount. A rejected one: reason, field, and how its bytes
    begin. Ctrl-C ends it.

    Examples: `tidelake tail`, `tidelake tail --rejected`, `tidelake tail --since 5m --json | jq
    .event_type`, `tidelake tail -n 50 --no-follow`
    """
    from tidelake.pipeline.lakehouse import opened
    from tidelake.pipeline.moments import moment
    from tidelake.pipeline.tail import Tail

    start = moment(since, datetime.now(UTC)) if since else None
    wanted = ["events"] * (accepted or not rejected) + ["rejected_events"] * (
        rejected or not accepted
    )
    lines = (0 if start else 10) if count is None else count
    try:
        with opened(settings_of(ctx), "dashboard", reads=True) as lakehouse:
            following = Tail(lakehouse, wanted)
            out = screen.console()
            if lines or start:
                show(following.last(lines, start), out, as_json)
            while follow:
                _look(following, out, as_json)
                time.sleep(LOOK_EVERY_S)
    except KeyboardInterrupt:
        return
    except BrokenPipeError:  # `| head` has enough
        return


def _look(following: Tail, out: Console, as_json: bool) -> None:
    from tidelake.errors import TransientError

    lost = following.lost
    try:
        rows = following.new()
    except TransientError as exc:
        typer.echo(f"waiting: {exc.message}", err=True)
        time.sleep(LOOK_EVERY_S * 4)
        return
    if following.lost > lost:
        missed = following.lost - lost
        typer.echo(f"… {missed} commits are not shown: their snapshots are gone", err=True)
    show(rows, out, as_json)


def show(rows: Sequence[Row], out: Console, as_json: bool) -> None:
    """A line for each row; on a terminal no more than can be read."""
    if as_json:
        for row in rows:
            typer.echo(json.dumps(_document(row), ensure_ascii=False))
        return
    kept = rows[-MOST_LINES:] if out.is_terminal else rows
    if len(kept) < len(rows):
        out.print(f"… {len(rows) - len(kept):,} more", style="dim")
    for row in kept:
        line, style = (_event(row.values), "") if row.table == "events" else _reject(row.values)
        at = row.received_at.astimezone(UTC).strftime("%H:%M:%S.%f")[:-3]
        text = screen.harmless(f"{at} {line}")
        out.print(text, style=style, markup=False, soft_wrap=True)


def _event(row: Mapping[str, Any]) -> str:
    who = row["user_id"] or row["anonymous_id"] or "–"
    amount = row["order_total"]
    what = [
        row["page_path"],
        row["search_query"] and f"“{row['search_query']}”",
        None if amount is None else f"{amount:.2f} {row['order_currency'] or ''}".rstrip(),
        " ".join(row["quality_flags"] or ()),
    ]
    return f"{row['event_type']:<16} {who:<16} {'  '.join(part for part in what if part)}".rstrip()


def _reject(row: Mapping[str, Any]) -> tuple[str, str]:
    begin = row["body"][:BODY_CHARACTERS].decode("utf-8", "replace")
    more = "…" if len(row["body"]) > BODY_CHARACTERS else ""
    reason = f"✗ {row['reason']}" + (f" ({row['field']})" if row["field"] else "")
    return f"{reason:<33} {begin}{more}", "red"


def _document(row: Row) -> dict[str, Any]:
    """A row as JSON; bytes as text, what is none of it replaced (`rejected show` has all)."""
    document: dict[str, Any] = {"table": row.table}
    for name, value in row.values.items():
        if isinstance(value, datetime):
            value = value.isoformat()
        elif isinstance(value, bytes):
            value = value.decode("utf-8", "replace")
        document[name] = value
    return document
