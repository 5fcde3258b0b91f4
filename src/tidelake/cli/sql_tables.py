"""What `tidelake sql` shows: answers, and the tables of the layers with their columns."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

import typer

from tidelake.cli import screen

if TYPE_CHECKING:
    from rich.console import Console

    from tidelake.pipeline.query import Answer, Queries, Shape


def show(answer: Answer, limit: int | None) -> None:
    """The rows of an answer as a table; says where it was cut though nobody asked for that."""
    from tidelake.pipeline.query_formats import plain

    out = screen.console()
    numbers = {
        name
        for i, name in enumerate(answer.columns)
        if answer.rows and all(isinstance(row[i], int | float | None) for row in answer.rows)
    }
    rows = [[_cell(plain(value)) for value in row] for row in answer.rows]
    out.print(screen.table(answer.columns, rows, numbers))
    if answer.more and limit is None:
        typer.echo(f"… only the first {len(rows)} rows; --limit shows more", err=True)


def introduce(asked: Queries, out: Console) -> None:
    """Every table: the columns of the lake's in full, those of the others in a line."""
    shapes = asked.tables()
    for shape in shapes:
        if shape.layer == "lake":
            _columns(shape, out)
    _overview([shape for shape in shapes if shape.layer != "lake"], out)
    _absent(asked, out)


def describe(asked: Queries, wanted: str, out: Console) -> None:
    """`\\d`: all tables by layer; `\\d NAME`: the columns of those that NAME (`silver.*`) meets."""
    shapes = asked.tables()
    if not wanted:
        _overview(shapes, out)
        _absent(asked, out)
        return
    found = [
        shape
        for shape in shapes
        if fnmatchcase(shape.name, wanted)
        or fnmatchcase(shape.table, wanted)
        or shape.layer == wanted
    ]
    for shape in found:
        _columns(shape, out)
    if not found:
        out.print(f"no table is called {wanted!r}; \\d lists them all", markup=False)


def _overview(shapes: list[Shape], out: Console) -> None:
    rows = [(shape.name, ", ".join(name for name, _ in shape.columns)) for shape in shapes]
    if rows:
        out.print(screen.table(("table", "columns"), rows))
        out.print()


def _columns(shape: Shape, out: Console) -> None:
    out.print(f"[bold]{shape.name}[/]")
    out.print(screen.table(("column", "type"), shape.columns))
    out.print()


def _absent(asked: Queries, out: Console) -> None:
    for layer, trouble in asked.absent.items():
        out.print(f"no {layer}: {trouble.message}", markup=False, soft_wrap=True)


def _cell(value: object) -> object:
    """Numbers as they are: an id or a year reads ill with separators."""
    return str(value) if isinstance(value, int | float | list | dict) else value
