"""`tidelake inbox`: the durable records between the collector and the lake."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from tidelake.cli import screen
from tidelake.cli.context import settings_of

app = typer.Typer(
    no_args_is_help=True,
    help="Records that were accepted and wait for the lake: list them, verify their bytes.",
)

AsJson = Annotated[bool, typer.Option("--json", help="one JSON document")]


@app.command("list")
def list_inbox(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Shows each lane: records accepted, records that the lake holds, and the space they take.

    A lane has one writing collector process. Segments whose records the lake holds stay for
    `inbox.keep_h` hours, so that history can be replayed.

    Examples: `tidelake inbox list`, `tidelake inbox list --json`
    """
    import json
    from dataclasses import asdict

    from tidelake.pipeline.inbox import list_lanes

    lanes = list_lanes(settings_of(ctx))
    if as_json:
        typer.echo(json.dumps([asdict(lane) for lane in lanes], indent=2))
        return
    out = screen.console()
    if not lanes:
        out.print("no inbox yet: `tidelake up` or `tidelake collect` makes one")
        return
    columns = ("lane", "accepted", "in the lake", "waiting", "segments", "size", "last written")
    rows = [
        (
            lane.lane,
            lane.mark,
            lane.released,
            screen.size(lane.unreleased_bytes),
            lane.segments,
            screen.size(lane.bytes),
            datetime.fromtimestamp(lane.written_at, UTC) if lane.written_at else None,
            "being written" if lane.claimed else "idle",
            lane.stream,
        )
        for lane in lanes
    ]
    numbers = {"lane", "accepted", "in the lake", "waiting", "segments", "size"}
    out.print(screen.table((*columns, "state", "stream"), rows, numbers))


@app.command()
def verify(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Reads every record of every segment and checks it; exits 1 where one is damaged.

    Damaged records are named, with segment and place. Ingest sets them aside as `damaged_frame`
    and goes on; a torn end that was never acknowledged is no damage. May run beside `tidelake up`.

    Examples: `tidelake inbox verify`, `tidelake inbox verify --json`
    """
    import json
    from dataclasses import asdict

    from tidelake.pipeline.inbox import verify_inbox

    found = list(verify_inbox(settings_of(ctx)))
    findings = [finding for verified in found for finding in verified.findings]
    if as_json:
        typer.echo(json.dumps([asdict(verified) for verified in found], indent=2))
    else:
        out = screen.console()
        if findings:
            columns = ("lane", "segment", "first", "last", "records", "what is wrong")
            rows = [(f.lane, f.segment, f.first, f.last, f.rows, f.what) for f in findings]
            out.print(screen.table(columns, rows, "lane first last records"))
        records, frames = (sum(getattr(v, name) for v in found) for name in ("rows", "frames"))
        size = screen.size(sum(verified.bytes for verified in found))
        out.print(f"{records:,} records in {frames:,} frames, {len(found):,} segments, {size}:")
        lost = sum(finding.rows for finding in findings)
        out.print(f"{lost:,} records are damaged" if findings else "all are what was written")
    if findings:
        raise typer.Exit(1)
