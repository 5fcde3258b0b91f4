"""`tidelake trace`: one event's way through the system."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tidelake.cli import screen
from tidelake.cli.context import day_of, settings_of

if TYPE_CHECKING:
    from rich.console import Console

    from tidelake.pipeline.trace import TracedCopy, TracedEvent
    from tidelake.pipeline.trace_way import Station


def trace(
    ctx: typer.Context,
    event: Annotated[
        str, typer.Argument(metavar="EVENT", help="event_id, event_key in hex, or source_position")
    ],
    day: Annotated[
        str, typer.Option("--day", help="day of the event (UTC): an id is found sooner")
    ] = "",
    pii: Annotated[bool, typer.Option("--pii", help="show ids of people and whole keys")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object")] = False,
) -> None:
    """Shows where an event has been: acknowledged, inbox, decision, lake file and row, snapshot,
    raw load, silver rows, and the first version of gold that holds it, each with its time and the
    latency since the 2xx. Copies that a client sent again are shown beside it.

    A key or a position is found by an index, an id by looking through the lake a day at a time, the
    newest first. Exits with 1 where there is no such event.

    Examples: `tidelake trace e4711`, `tidelake trace e4711 --day 2026-11-23 --json`,
    `tidelake trace 0f6c2a8d5b7e49c1a3d2e4f5a6b7c8d9`
    """
    from tidelake.pipeline.home import require_home
    from tidelake.pipeline.lakehouse import opened
    from tidelake.pipeline.trace import trace as follow

    settings = settings_of(ctx)
    if not settings.postgres.url:  # with it, lake and layers may lie on other machines
        require_home(settings.home)
    with opened(settings, "transform", reads=True) as lakehouse:
        found = follow(lakehouse, event.strip(), day_of(day), personal=pii)
    if as_json:
        typer.echo(json.dumps(_document(found.events, found.waits), indent=2, default=str))
    else:
        for one in found.events:
            _show(one, screen.console())
    if found.events:
        return
    if found.waits:
        typer.echo(f"{event} waits in the inbox as {found.waits}: it is not in the lake yet")
        return
    typer.echo(
        f"no event or rejected record is known as {event!r}"
        + (f" on {day}" if day else "")
        + ": neither the lake nor what waits in the inbox holds it\n"
        "  An id is looked for as it was sent. A record that was refused got no 2xx; one that was "
        "rolled back is gone.",
        err=True,
    )
    raise typer.Exit(1)


def _show(event: TracedEvent, out: Console) -> None:
    said = event.says
    title = said.get("event_type") or f"rejected: {said.get('reason')}"
    out.print(f"[bold]{title}[/] ", end="")
    named = [event.key or event.copies[0].position]
    named += [f"{name} {said[name]}" for name in ("event_id", "project") if said.get(name)]
    out.print("  ".join(named), markup=False, soft_wrap=True)
    for name in ("user_id", "anonymous_id", "location_ip_address"):
        if name in said:
            out.print(f"  {name} {said[name]}", markup=False, soft_wrap=True)
    for copy in event.copies:
        _show_copy(copy, out)
    if event.silver is not None:
        rows = ", ".join(
            table if count == 1 else f"{table} ({count})"
            for table, count in event.silver.rows.items()
        )
        keys = ", ".join(f"{name} {value}" for name, value in event.silver.keys.items())
        out.print(f"  in silver: {rows}", markup=False, soft_wrap=True)
        out.print(f"  its keys:  {keys}", markup=False, soft_wrap=True)
    out.print()


def _show_copy(copy: TracedCopy, out: Console) -> None:
    if copy.repeat_of:
        out.print(f"  sent again: a repeat of {copy.repeat_of}", markup=False, soft_wrap=True)
    received = _received(copy)
    rows = [
        (f"  {station.name}", _time(station), _after(station, received), _facts(station.facts))
        for station in copy.stations
    ]
    out.print(screen.table(("", "at (UTC)", "after", ""), rows, "after"))


def _received(copy: TracedCopy) -> datetime:
    at = copy.stations[0].at
    assert at is not None, "the first station is the acknowledgement"
    return at


def _time(station: Station) -> str | None:
    if station.at is None:
        return None
    return station.at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]


def _after(station: Station, received: datetime) -> str | None:
    seconds = _latency(station, received)
    return None if seconds is None else f"+{seconds:.2f} s"


def _latency(station: Station, received: datetime) -> float | None:
    """Seconds since the 2xx; the event's own time is none of the pipeline's."""
    if station.at is None or station.name in ("acknowledged", "source", "event"):
        return None
    return (station.at - received) / timedelta(seconds=1)


def _facts(facts: Any) -> str:
    return ", ".join(f"{name} {_plain(value)}" for name, value in facts.items())


def _plain(value: Any) -> str:
    return " ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _document(events: tuple[TracedEvent, ...], waits: str | None) -> dict[str, Any]:
    return {
        "events": [
            {
                "event_key": event.key,
                "says": dict(event.says),
                "copies": [_copy_document(copy) for copy in event.copies],
                "silver": None
                if event.silver is None
                else {"rows": dict(event.silver.rows), "keys": dict(event.silver.keys)},
            }
            for event in events
        ],
        "waits": waits,
    }


def _copy_document(copy: TracedCopy) -> dict[str, Any]:
    received = _received(copy)
    return {
        "position": copy.position,
        "repeat_of": copy.repeat_of or None,
        "stations": [
            {
                "station": station.name,
                "at": station.at.isoformat() if station.at else None,
                "latency_s": _latency(station, received),
                **dict(station.facts),
            }
            for station in copy.stations
        ],
    }
