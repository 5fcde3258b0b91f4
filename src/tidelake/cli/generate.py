"""`tidelake generate`: mock events that look like a shop's."""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from tidelake.errors import TidelakeError, UsageError

if TYPE_CHECKING:
    from tidelake.pipeline.generate import Made, Pace

DEFAULT_COUNT = 1000
DRAWN_BITS = 32
_SHOWN_EVERY = 0.2  # seconds


def generate(
    to: Annotated[
        str,
        typer.Option("--to", "-o", help="`-` (stdout), a file (`.gz` compresses), or a URL"),
    ] = "-",
    count: Annotated[
        int | None,
        typer.Option("--count", "-n", min=0, help=f"lines in all (default: {DEFAULT_COUNT})"),
    ] = None,
    rate: Annotated[
        float | None, typer.Option(help="lines a second; without a start or an end: live")
    ] = None,
    duration: Annotated[float | None, typer.Option(help="seconds of live events")] = None,
    users: Annotated[int, typer.Option(min=1, help="people who may visit")] = 50_000,
    seed: Annotated[
        int | None,
        typer.Option(min=0, help="same seed and times: same bytes (default: 1; live: one drawn)"),
    ] = None,
    days: Annotated[
        float | None, typer.Option(help="start so many days before the end (default: 14)")
    ] = None,
    start: Annotated[str | None, typer.Option(help="ISO 8601; UTC unless it says")] = None,
    end: Annotated[str | None, typer.Option(help="ISO 8601 (default: now)")] = None,
    bad: Annotated[float, typer.Option(help="share of bad records, of every kind")] = 0.0,
    bad_kind: Annotated[
        list[str] | None, typer.Option(help="KIND=SHARE of one kind; may be repeated")
    ] = None,
    repeat: Annotated[float, typer.Option(help="share of lines that a client sends again")] = 0.0,
    key: Annotated[str | None, typer.Option(help="write key, sent as Bearer")] = None,
    batch: Annotated[int, typer.Option(min=1, help="records a request")] = 500,
    connections: Annotated[int, typer.Option(min=1, help="connections kept open")] = 2,
    compress: Annotated[bool, typer.Option(help="gzip the requests")] = True,
    parent: Annotated[
        int | None, typer.Option(hidden=True, help="process whose end ends this one")
    ] = None,
) -> None:
    """Makes mock events of a shop: sessions of people who come back, search, and sometimes buy.

    Without a rate: a history, by default the last 14 days. With a rate: live events.
    Only events go to stdout; everything else is said on stderr.

    Examples:

    `tidelake generate | head -1` – what an event looks like

    `tidelake generate -n 1000000 -o events.ndjson.gz` – a file of the last 14 days

    `tidelake generate --seed 7 --start 2026-11-01 --end 2026-11-08 -n 50000 -o week.ndjson` – the
    same file every time

    `tidelake generate -o http://127.0.0.1:8765 --rate 500 --duration 60` – a minute of live traffic

    `tidelake generate -n 20000 --bad 0.01 --repeat 0.01 -o http://127.0.0.1:8765` – as clients are

    `tidelake generate --bad-kind not_json=0.1 --bad-kind truncated=0.05` – two kinds of trouble
    """
    from tidelake.pipeline.generate import Delivery, GeneratorSpec, run, spread_bad

    if parent is not None:
        from tidelake.pipeline.supervise import die_with_parent

        die_with_parent(parent)
    live = rate is not None and days is None and start is None and end is None
    lines, pace = _pace(count, rate, duration, live)
    begins, ends = _between(start, end, days)
    if seed is None:
        # Live sessions that came again under the ids of an earlier run would go on for days.
        seed = secrets.randbits(DRAWN_BITS) if live else 1
    shares = {**spread_bad(bad), **dict(_kind(text) for text in bad_kind or [])}
    spec = GeneratorSpec(seed, users, begins, ends, lines, shares, repeat)
    delivery = Delivery(key=key, batch=batch, connections=connections, compress=compress)
    try:
        made = run(spec, to, pace=pace, delivery=delivery, progress=_progress(lines, to, live))
    except BrokenPipeError:
        # The reader has seen enough. Python would complain once more when it closes stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return
    _say(made, to)


def _pace(
    count: int | None, rate: float | None, duration: float | None, live: bool
) -> tuple[int, Pace]:
    """Lines to make, and how fast."""
    from tidelake.pipeline.generate import Pace

    if duration is not None and not live:
        raise UsageError(
            "--duration is for live events",
            hint="Give --rate too, and no --start, --end or --days.",
        )
    if duration is not None and count is not None:
        raise UsageError("--count and --duration both say when to end", hint="Give one of them.")
    if live and rate is not None:
        lines = count if duration is None else round(rate * duration)
        return lines or 0, Pace(rate, live=True, lines=lines)
    return DEFAULT_COUNT if count is None else count, Pace(rate)


def _between(start: str | None, end: str | None, days: float | None) -> tuple[datetime, datetime]:
    if start is not None and days is not None:
        raise UsageError("--start and --days both say when to begin", hint="Give one of them.")
    ends = _time(end) if end is not None else datetime.now(UTC)
    begins = _time(start) if start is not None else ends - timedelta(days=days or 14)
    return begins, ends


def _time(text: str) -> datetime:
    try:
        time = datetime.fromisoformat(text)
    except ValueError as exc:
        raise UsageError(
            f"{text!r} is not a time",
            hint="Give ISO 8601, like 2026-11-23 or 2026-11-23T10:15:00Z.",
        ) from exc
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _kind(text: str) -> tuple[str, float]:
    kind, _, share = text.partition("=")
    try:
        return kind, float(share)
    except ValueError as exc:
        raise UsageError(
            f"{text!r} is not KIND=SHARE", hint="Give for example --bad-kind not_json=0.002."
        ) from exc


def _progress(lines: int, to: str, live: bool) -> Callable[[Made], None] | None:
    """A line that is written over, on a terminal; nothing where stderr is a file or a pipe."""
    if to == "-" or not sys.stderr.isatty():
        return None
    shown = 0.0
    of = f" of {lines:,}" if lines else ""

    def show(made: Made) -> None:
        nonlocal shown
        if made.seconds - shown < _SHOWN_EVERY:
            return
        shown = made.seconds
        rate = made.tally.sent / made.seconds
        what = "live events" if live else "events"
        sys.stderr.write(f"\r\x1b[K{made.tally.sent:,}{of} {what}, {rate:,.0f}/s")
        sys.stderr.flush()

    return show


def _say(made: Made, to: str) -> None:
    """The result in a sentence, on stderr."""
    if to == "-":
        return
    tally, sent = made.tally, made.sent
    parts = [f"{tally.sent:,} lines ({made.size / 1e6:,.1f} MB) in {made.seconds:.1f} s"]
    if tally.bad:
        parts.append(f"{tally.bad.total():,} bad")
    if tally.repeats:
        parts.append(f"{tally.repeats:,} repeats")
    if sent:
        parts.append(f"accepted {sent.accepted:,}, refused {sent.refused:,}")
        parts += [f"{sent.retries:,} retries"] if sent.retries else []
        parts += [f"{sent.abandoned:,} without an answer"] if sent.abandoned else []
    start = "\r\x1b[K" if sys.stderr.isatty() else ""
    typer.echo(f"{start}{to}: {', '.join(parts)}", err=True)


def main() -> None:
    """The command on its own, for `apps/mock_generator`."""
    try:
        typer.run(generate)
    except TidelakeError as exc:
        print(f"error: {exc}", file=sys.stderr)
        sys.exit(exc.exit_code)
