"""`tidelake demo`: the whole pipeline, shown."""

from __future__ import annotations

import shutil
import sys
import time
from typing import TYPE_CHECKING, Annotated

import typer

from tidelake.cli.context import settings_of

if TYPE_CHECKING:
    from rich.console import Console

    from tidelake.pipeline.demo import Summary
    from tidelake.pipeline.query import Answer
    from tidelake.settings import Settings


FOLLOW_EVERY_S = 5.0


class Progress:
    """One line that is written over on a terminal; elsewhere a line every quarter of an act."""

    def __init__(self) -> None:
        self._what, self._total, self._shown = "", 0, -1
        self._followed = 0.0

    def say(self, line: str) -> None:
        self._end()
        typer.echo(f"  {line}", err=True)

    def begin(self, what: str, total: int) -> None:
        self._end()
        self._what, self._total = what, total
        self.advance(0)

    def advance(self, done: int) -> None:
        step = 100 if sys.stderr.isatty() else 4
        reached = done * step // max(self._total, 1)
        if reached == self._shown:
            return
        self._shown = reached
        line = f"  {self._what}: {done:,} of {self._total:,}"
        typer.echo(f"\r{line}" if sys.stderr.isatty() else line, err=True, nl=step == 4)

    def follow(self, line: str) -> None:
        """A line that is written over; a pipe gets it every few seconds, where it has changed."""
        now, pipe = time.monotonic(), not sys.stderr.isatty()
        if line == self._what or (pipe and now - self._followed < FOLLOW_EVERY_S):
            return
        self._what, self._followed = line, now
        typer.echo(f"  {line}" if pipe else f"\r\x1b[K  {line}", err=True, nl=pipe)

    def _end(self) -> None:
        if self._what and sys.stderr.isatty():
            typer.echo(err=True)
        self._what, self._shown = "", -1


# In proportion: the live day must not dwarf the others in the daily charts.
HISTORY, RATE = 250_000, 200


def demo(
    ctx: typer.Context,
    history: Annotated[int, typer.Option(help="events of the last 14 days")] = HISTORY,
    rate: Annotated[float, typer.Option(help="live events a second")] = RATE,
    seconds: Annotated[float, typer.Option(help="seconds of live traffic")] = 30,
    stay: Annotated[
        bool, typer.Option("--stay", help="then run on, with the dashboard, until Ctrl-C")
    ] = False,
) -> None:
    """Runs the whole pipeline on this machine and shows what it did.

    Starts every part, sends a history and live traffic over HTTP (1 % bad, 1 % repeated) and a few
    hundred messages through a Segment SDK, waits until lake, PostgreSQL and gold hold them, and
    fails if one event is lost or doubled. The figures stand in demo.json in the home. Run it again
    as you like.

    Example: `tidelake demo --history 20000 --seconds 5`
    """
    from rich.console import Console

    from tidelake.errors import BooksError
    from tidelake.pipeline.demo import Plan
    from tidelake.pipeline.demo import demo as run_demo

    settings = settings_of(ctx)
    plan = Plan(history=history, rate=rate, seconds=seconds)
    progress = Progress()
    summary, answers = run_demo(settings, progress, plan)
    console = Console(highlight=False)
    _figures(console, summary)
    for question, answer in answers.items():
        _answer(console, question, answer)
    if summary.wrong:
        raise BooksError(
            "the books do not balance: " + "; ".join(summary.wrong),
            hint="`tidelake status --recount` counts every row.",
        )
    _next(settings)
    if stay:
        _run_on(settings)


def _run_on(settings: Settings) -> None:
    from tidelake.pipeline.stopping import Stop
    from tidelake.pipeline.up import up

    up(settings, Stop().on_signals(), typer.echo)


def _figures(console: Console, summary: Summary) -> None:
    from rich.table import Table

    shown = Table("", "", title="What the pipeline did", show_header=False, title_justify="left")
    shown.columns[1].justify = "right"
    for name, value in _rows(summary):
        shown.add_row(name, value)
    console.print()
    console.print(shown)


def _rows(summary: Summary) -> list[tuple[str, str]]:
    rejected = sum(summary.rejected.values())
    latency, history = summary.latency_s, summary.latency_history_s
    gold = summary.latency_gold_s
    return [
        ("accepted", f"{summary.accepted:,}"),
        ("in the lake", f"{summary.events:,}"),
        ("rejected", f"{rejected:,}"),
        *((f"  {reason}", f"{count:,}") for reason, count in summary.rejected.items() if count),
        ("client repeats seen", f"{summary.repeats:,}"),
        ("books", "balanced" if summary.balanced else "DO NOT BALANCE"),
        ("events/s, HTTP to lake", f"{summary.events_per_s:,.0f}"),
        ("memory per 100 events", f"{summary.memory_mb_per_100_events:.3f} MB"),
        ("bytes received : stored", f"{summary.compression_ratio:.1f} : 1"),
        ("2xx to committed, live", f"p50 {latency['p50']:.2f} s   p99 {latency['p99']:.2f} s"),
        ("2xx to committed, history", f"p50 {history['p50']:.2f} s   p99 {history['p99']:.2f} s"),
        ("2xx to gold, live", f"p50 {gold['p50']:.1f} s   p99 {gold['p99']:.1f} s"),
        ("distinct events in gold", f"{summary.gold_events:,} (version {summary.gold_version})"),
        ("commits", f"{summary.commits:,}"),
        ("files", f"{summary.files:,}"),
    ]


def _answer(console: Console, question: str, answer: Answer) -> None:
    from rich.table import Table

    shown = Table(*answer.columns, title=question, title_justify="left")
    for row in answer.rows:
        shown.add_row(*(_shown(value) for value in row))
    console.print()
    console.print(shown)


def _shown(value: object) -> str:
    if isinstance(value, float):
        return f"{value:,.2f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _charts(settings: Settings) -> str:
    """Where it will be; nothing of a port that is chosen only when it starts, which `up` prints."""
    port = settings.dashboard.port
    return f" at {settings.dashboard.address(port)}" if port else ", whose URL it prints too"


def _next(settings: Settings) -> None:
    typer.echo(
        f"""
What next:
  tidelake up                     runs it until Ctrl-C; send events to the URL that it prints, and
                                  see them on the dashboard{_charts(settings)}
  tidelake up --generate 500      the same with live traffic; beside it: tidelake monitor
  tidelake sql "select event_type, count(*) from events group by 1"
  tidelake sql --layer gold "from revenue_by_day"
  tidelake report weekly          a summary to send round
  tidelake rejected list          what was wrong with the bad records
  tidelake status --recount       counts every row and balances the books
"""
    )
    # `make demo` puts nothing on the PATH, and who reads this will type it.
    if shutil.which("tidelake") is None:
        typer.echo("tidelake is .venv/bin/tidelake, or after: source .venv/bin/activate")
