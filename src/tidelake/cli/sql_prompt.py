"""The prompt of `tidelake sql` on a terminal."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import typer

from tidelake.cli import screen, sql_tables

if TYPE_CHECKING:
    from tidelake.pipeline.query import Queries

SHOWN_ROWS = 100
HELP = """\
A query ends with a semicolon. \\d lists the tables, \\d NAME the columns of one,
\\q or Ctrl-D ends. What is committed meanwhile is seen by the next `tidelake sql`.
"""


def prompt(asked: Queries, layer: str, limit: int | None) -> None:
    """Asks for queries and answers them, until the user ends it."""
    with suppress(ImportError):  # a Python built without readline: no history, nothing else
        import readline  # noqa: F401 # it gives `input` its history by being imported

    typer.echo(HELP)
    text = ""
    while True:
        try:
            line = input(f"{layer}> " if not text else "...> ")
        except EOFError:
            typer.echo()
            return
        except KeyboardInterrupt:
            typer.echo()
            text = ""
            continue
        text = f"{text}\n{line}".strip()
        if text in ("\\q", "exit", "quit"):
            return
        if text.startswith("\\") or text.endswith(";"):
            answer(asked, text, limit)
            text = ""


def answer(asked: Queries, text: str, limit: int | None) -> None:
    """Answers one input; what is wrong with it is told, and the prompt goes on."""
    from tidelake.errors import TidelakeError

    try:
        if text.startswith("\\d"):
            sql_tables.describe(asked, text[2:].strip(" ;"), screen.console())
        elif text.startswith("\\"):
            typer.echo(HELP)
        else:
            for statement in asked.statements(text):
                sql_tables.show(asked.answer(statement, limit or SHOWN_ROWS), limit)
    except TidelakeError as exc:
        typer.echo(f"error: {exc}", err=True)
    except KeyboardInterrupt:
        typer.echo("stopped", err=True)
