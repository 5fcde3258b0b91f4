"""`tidelake alerts`: the rules, what is wrong now, and a test of the webhook."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from tidelake.cli import screen
from tidelake.cli.context import settings_of

if TYPE_CHECKING:
    from rich.console import Console

    from tidelake.pipeline.alert_report import AlertReport

app = typer.Typer(help="Alert rules: what they say now, and a test of the webhook.")


@app.callback(invoke_without_command=True)
def alerts(
    ctx: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object")] = False,
) -> None:
    """Shows every rule with its measure as it is now, the alerts that go on, and those of before.

    The rules are looked at while `tidelake up` runs. Exits with 1 while an alert goes on.

    Examples: `tidelake alerts`, `tidelake alerts --json | jq .active`, `tidelake alerts test`
    """
    if ctx.invoked_subcommand is not None:
        return
    from tidelake.pipeline.alert_report import report

    found = report(settings_of(ctx))
    if as_json:
        typer.echo(json.dumps(_document(found), indent=2))
    else:
        _show(found, screen.console())
    if found.state is not None and found.state.active:
        raise typer.Exit(1)


@app.command()
def test(ctx: typer.Context) -> None:
    """Sends a test alert to the webhook that is set, and says what it answered.

    Example: `TIDELAKE_ALERTS_WEBHOOK_URL=https://hooks.example/… tidelake alerts test`
    """
    from tidelake.pipeline.alert_report import send_test

    typer.echo(f"sent to {send_test(settings_of(ctx), time.time())}")


def _document(found: AlertReport) -> dict[str, object]:
    return {
        "watched": found.state is not None,
        "active": [asdict(alert) for alert in found.state.active] if found.state else [],
        "ended": [asdict(alert) for alert in found.state.ended] if found.state else [],
        "trouble": found.state.trouble if found.state else "",
        "rules": [asdict(row) for row in found.rules],
    }


def _show(found: AlertReport, out: Console) -> None:
    rows = [
        (row.rule, row.severity, row.when, row.holds_for, row.now, row.state) for row in found.rules
    ]
    out.print(screen.table(("rule", "severity", "when", "for", "now", "state"), rows))
    out.print()
    if found.state is None:
        out.print("no pipeline runs: the rules are looked at while `tidelake up` does")
        return
    for alert in found.state.active:
        out.print(f"[bold red]{alert.severity}[/] {alert.rule}: ", end="")
        since = screen.ago(found.at - alert.since)
        out.print(f"{alert.message} (began {since})", markup=False, soft_wrap=True)
    for alert in found.state.ended:
        when = screen.ago(found.at - (alert.ended or found.at))
        out.print(f"over {when}: {alert.rule}: {alert.message}", markup=False, soft_wrap=True)
    if not found.state.active:
        out.print("[bold green]no alert[/]")
    if found.state.trouble:
        out.print(f"trouble: {found.state.trouble}", markup=False, soft_wrap=True)
