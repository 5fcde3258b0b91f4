"""The tree of commands. Nothing heavy is imported here: `tidelake --help` must answer at once."""

from __future__ import annotations

from typing import Annotated

import typer

from tidelake import __version__
from tidelake.cli.alerts import app as alerts
from tidelake.cli.collect import collect
from tidelake.cli.dashboard import dashboard
from tidelake.cli.demo import demo
from tidelake.cli.docs import docs
from tidelake.cli.generate import generate
from tidelake.cli.inbox import app as inbox
from tidelake.cli.ingest import ingest
from tidelake.cli.init import init
from tidelake.cli.lake import app as lake
from tidelake.cli.monitor import monitor
from tidelake.cli.raw import app as raw
from tidelake.cli.rebuild import rebuild
from tidelake.cli.recover import recover
from tidelake.cli.rejected import app as rejected
from tidelake.cli.report import report
from tidelake.cli.run import run
from tidelake.cli.schema import app as schema
from tidelake.cli.settings import settings
from tidelake.cli.sql import sql
from tidelake.cli.status import status
from tidelake.cli.tail import tail
from tidelake.cli.trace import trace
from tidelake.cli.transform import transform
from tidelake.cli.up import up
from tidelake.cli.user import app as user

app = typer.Typer(
    name="tidelake",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"tidelake {__version__}")
        raise typer.Exit


@app.callback()
def root(
    ctx: typer.Context,
    home: Annotated[
        str | None,
        typer.Option(
            "--home", metavar="FOLDER", help="folder that holds all state (default: .tidelake)"
        ),
    ] = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="the version")
    ] = False,
) -> None:
    """Events in, lakehouse out.

    `tidelake demo` shows the whole pipeline; `tidelake up` runs it until Ctrl-C;
    then send events to it, and ask it: `tidelake sql "select count(*) from events"`.
    """
    ctx.obj = home


RUN, USE, LOOK = "Run it", "Put in and ask", "Look after it"

app.command(rich_help_panel=RUN)(demo)
app.command(rich_help_panel=RUN)(up)
app.command(rich_help_panel=RUN)(collect)
app.command(rich_help_panel=RUN)(run)
app.command(rich_help_panel=RUN)(init)
app.command(rich_help_panel=RUN)(recover)
app.command(rich_help_panel=RUN)(transform)
app.command(rich_help_panel=RUN)(rebuild)
app.command(rich_help_panel=USE)(ingest)
app.command(rich_help_panel=USE)(generate)
app.command(rich_help_panel=USE)(sql)
app.command(rich_help_panel=USE)(tail)
app.command(rich_help_panel=USE)(trace)
app.command(rich_help_panel=USE)(report)
app.add_typer(rejected, name="rejected", rich_help_panel=USE)
app.command(rich_help_panel=LOOK)(status)
app.command(rich_help_panel=LOOK)(dashboard)
app.command(rich_help_panel=LOOK)(monitor)
app.command(rich_help_panel=LOOK)(docs)
app.add_typer(alerts, name="alerts", rich_help_panel=LOOK)
app.add_typer(lake, name="lake", rich_help_panel=LOOK)
app.add_typer(raw, name="raw", rich_help_panel=LOOK)
app.command(rich_help_panel=LOOK)(settings)
app.add_typer(inbox, name="inbox", rich_help_panel=LOOK)
app.add_typer(schema, name="schema", rich_help_panel=LOOK)
app.add_typer(user, name="user", rich_help_panel=LOOK)
