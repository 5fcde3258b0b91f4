"""`tidelake monitor`: the pipeline at work, once a second."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from tidelake.cli import screen
from tidelake.cli.context import settings_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console, RenderableType

    from tidelake.pipeline.monitor import Tick


def monitor(
    ctx: typer.Context,
    once: Annotated[bool, typer.Option("--once", help="one look, then end")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object a look")] = False,
    every_s: Annotated[float, typer.Option("--every", min=0.1, help="seconds between looks")] = 1,
) -> None:
    """Shows a running pipeline live: events a second in and out, what waits and for how long,
    latency, memory, compression, rejects by reason, commits, files, how far raw, silver and gold
    are behind, the alerts, and how the parts are.

    On a terminal a screen that refreshes, in a pipe a line a look. Ctrl-C ends it.

    Examples: `tidelake monitor`, `tidelake monitor --once --json`, `tidelake monitor >> watch.log`
    """
    from tidelake.pipeline.lakehouse import opened
    from tidelake.pipeline.monitor import ticks

    try:
        with (
            opened(settings_of(ctx), "dashboard", reads=True) as lakehouse,
            closing(ticks(lakehouse, every_s)) as found,
        ):
            out = screen.console()
            if once:
                _say(next(found), out, as_json)
            elif as_json or not out.is_terminal:
                for tick in found:
                    _say(tick, out, as_json)
            else:
                _live(found, out)
    except (KeyboardInterrupt, BrokenPipeError):
        return


def _live(found: Iterator[Tick], out: Console) -> None:
    from rich.live import Live

    with Live(console=out, screen=True, auto_refresh=False) as live:
        for tick in found:
            live.update(_screen(tick), refresh=True)


def _say(tick: Tick, out: Console, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(asdict(tick)))
    elif out.is_terminal:
        out.print(_screen(tick))
    else:
        typer.echo(line(tick))


def line(tick: Tick) -> str:
    """A tick in one line."""
    at = datetime.fromtimestamp(tick.at, UTC).strftime("%H:%M:%S")
    parts = " ".join(f"{name}:{state}" for name, state in tick.parts.items()) or "no part runs"
    return (
        f"{at} in {_number(tick.in_per_s)}/s out {_number(tick.out_per_s)}/s "
        f"waiting {tick.waiting:,} ({_number(tick.lag_s, 1)} s) "
        f"latency p50 {_number(tick.latency_p50_s, 2)} p99 {_number(tick.latency_p99_s, 2)} s "
        f"memory {_number(tick.memory_mb)} MB (peak {_number(tick.memory_peak_mb)}, "
        f"{_number(tick.memory_mb_per_100_events, 3)} per 100 events) "
        f"ratio {_number(tick.compression_ratio, 1)}:1 rejected {tick.rejected_share:.2%} "
        f"commits {_number(tick.commits_per_s, 2)}/s files {tick.files:,} "
        f"{_layers_in_line(tick)} {_alerts_in_line(tick)} {parts}"
    )


def _layers_in_line(tick: Tick) -> str:
    lags = " ".join(f"{lag.layer} {_number(lag.seconds, 1)} s" for lag in tick.lags)
    gold = f" gold v{tick.gold.version} ({tick.gold.age_s:.0f} s old)" if tick.gold else ""
    return f"behind: {lags}{gold}"


def _alerts_in_line(tick: Tick) -> str:
    return "alerts: " + (" ".join(alert.rule for alert in tick.alerts) or "none")


def _screen(tick: Tick) -> RenderableType:
    from rich.columns import Columns
    from rich.console import Group
    from rich.panel import Panel

    flow = [
        ("events/s in", _number(tick.in_per_s)),
        ("records/s to the lake", _number(tick.out_per_s)),
        ("commits/s", _number(tick.commits_per_s, 2)),
        ("waiting", f"{tick.waiting:,}"),
        ("oldest waits", f"{_number(tick.lag_s, 1)} s"),
        ("latency p50", f"{_number(tick.latency_p50_s, 2)} s"),
        ("latency p99", f"{_number(tick.latency_p99_s, 2)} s"),
    ]
    store = [
        ("records in the lake", f"{tick.committed:,}"),
        ("received : stored", f"{_number(tick.compression_ratio, 1)} : 1"),
        ("files", f"{tick.files:,}"),
        ("snapshots", f"{tick.snapshots:,}"),
        ("memory", f"{_number(tick.memory_mb)} MB"),
        ("memory, peak", f"{_number(tick.memory_peak_mb)} MB"),
        ("MB per 100 events", _number(tick.memory_mb_per_100_events, 3)),
    ]
    rejects = [(reason, f"{count:,}") for reason, count in tick.rejected_by_reason.items()]
    rejects.append(("share", f"{tick.rejected_share:.2%}"))
    parts = list(tick.parts.items()) or [("none", "`tidelake up` starts them")]
    layers = [
        (lag.layer, f"{lag.waiting or 0:,} {lag.what}, {_number(lag.seconds, 1)} s behind")
        for lag in tick.lags
    ]
    if tick.gold is not None:
        layers.append(("gold version", f"{tick.gold.version:,}, {tick.gold.age_s:.0f} s old"))
    alerts = [(alert.severity, alert.message) for alert in tick.alerts] or [("none", "")]
    panels = [
        Panel(screen.table(("", ""), rows, ""), title=title, title_align="left")
        for title, rows in (
            ("flow", flow),
            ("lake", store),
            ("rejected", rejects),
            ("layers", layers),
            ("parts", parts),
            ("alerts", alerts),
        )
    ]
    at = datetime.fromtimestamp(tick.at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    return Group(f"tidelake  {at}  (Ctrl-C ends)", Columns(panels))


def _number(value: float | None, digits: int = 0) -> str:
    return "–" if value is None else f"{value:,.{digits}f}"
