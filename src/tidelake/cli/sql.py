"""`tidelake sql`: ask the lake."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from tidelake.cli import screen
from tidelake.cli.context import settings_of

if TYPE_CHECKING:
    from tidelake.pipeline.query import Answer, Queries

SHOWN_ROWS = 100

EXAMPLES = """\
tidelake sql "select event_type, count(*) from events group by all order by 2 desc"
tidelake sql "select page_path, count(*) as views from events group by 1 order by 2 desc limit 10"
tidelake sql "select event_time::date as day, sum(order_total) from events
              where event_type = 'purchase' group by 1 order by 1"
tidelake sql "select reason, count(*) from rejected_events group by 1"
tidelake sql "select count(*) from events" --as-of "1 hour ago"
tidelake sql "from events" --format parquet --output events.parquet
tidelake sql -f report.sql --format csv > report.csv
"""


def sql(
    ctx: typer.Context,
    query: Annotated[str, typer.Argument(help="SQL, as DuckDB reads it")] = "",
    file: Annotated[
        Path | None, typer.Option("--file", "-f", help="read the query from a file")
    ] = None,
    as_of: Annotated[
        str, typer.Option("--as-of", metavar="TIME", help="a time, 1h, a tag or a snapshot id")
    ] = "",
    form: Annotated[
        Literal["table", "csv", "json", "ndjson", "parquet"],
        typer.Option("--format", help="how to write the answer"),
    ] = "table",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="file to write the answer to")
    ] = None,
    limit: Annotated[int | None, typer.Option("--limit", "-n", min=1, help="rows at most")] = None,
) -> None:
    """Asks the lake in SQL (DuckDB): tables events, rejected_events and replayed. Reads only.

    The query comes from the argument, a file or stdin; without one, examples and the columns of
    the tables are shown.

    Examples: `tidelake sql "select event_type, count(*) from events group by all"`,
    `tidelake sql "select count(*) from events" --as-of yesterday`,
    `echo "from events" | tidelake sql --format csv --limit 1000 > events.csv`
    """
    from datetime import UTC, datetime

    from tidelake.pipeline.lakehouse import opened
    from tidelake.pipeline.query import queries

    text = _text(query, file)
    with (
        opened(settings_of(ctx)) as lakehouse,
        queries(lakehouse, as_of, datetime.now(UTC)) as asked,
    ):
        if not text.strip():
            _introduce(asked)
        elif form == "table" and output is None:
            for statement in asked.statements(text):
                _show(asked.answer(statement, limit or SHOWN_ROWS), limit)
        else:
            _write(asked, text, "csv" if form == "table" else form, output, limit)


def _text(query: str, file: Path | None) -> str:
    from tidelake.errors import UsageError

    if query and file:
        raise UsageError("a query and a file were given", hint="Give one of them.")
    if file is not None:
        try:
            return file.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as exc:
            raise UsageError(f"{file} can not be read: {exc}") from exc
    return query if query or sys.stdin.isatty() else sys.stdin.read()


def _write(
    asked: Queries,
    text: str,
    form: Literal["csv", "json", "ndjson", "parquet"],
    output: Path | None,
    limit: int | None,
) -> None:
    from tidelake.errors import UsageError

    statements = asked.statements(text)
    if len(statements) != 1:
        raise UsageError(
            f"{len(statements)} queries can not be written as one {form} answer",
            hint="Give one query, or --format table.",
        )
    if output is None:
        if form == "parquet" and sys.stdout.isatty():
            raise UsageError("Parquet is no text", hint="Name a file with --output.")
        asked.write(statements[0], sys.stdout.buffer, form, limit)
        sys.stdout.flush()
        return
    with output.open("wb") as out:
        written = asked.write(statements[0], out, form, limit)
    typer.echo(f"{written:,} rows written to {output}", err=True)


def _show(answer: Answer, limit: int | None) -> None:
    from tidelake.pipeline.query import plain

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


def _cell(value: object) -> object:
    """Numbers as they are: an id or a year reads ill with separators."""
    return str(value) if isinstance(value, int | float | list | dict) else value


def _introduce(asked: Queries) -> None:
    typer.echo(EXAMPLES)
    out = screen.console()
    for view, columns in asked.columns().items():
        out.print(f"[bold]{view}[/]")
        out.print(screen.table(("column", "type"), columns))
        out.print()
