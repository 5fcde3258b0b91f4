"""`tidelake sql`: ask the lake, raw, silver and gold."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from tidelake.cli import screen, sql_tables
from tidelake.cli.context import settings_of
from tidelake.cli.sql_prompt import SHOWN_ROWS, prompt

if TYPE_CHECKING:
    from tidelake.pipeline.query import Queries

EXAMPLES = """\
tidelake sql "select event_type, count(*) from events group by all order by 2 desc"
tidelake sql "select page_path, count(*) as views from events group by 1 order by 2 desc limit 10"
tidelake sql "select event_time::date as day, sum(order_total) from events
              where event_type = 'purchase' group by 1 order by 1"
tidelake sql "select reason, count(*) from rejected_events group by 1"
tidelake sql "select count(*) from events" --as-of "1 hour ago"
tidelake sql "select day, sum(events) as events, sum(visitors) as visitors
              from gold.daily_traffic group by 1 order by 1"
tidelake sql --layer silver "from sessions order by started_at desc limit 10"
tidelake sql "select load_day, count(*) from raw.events group by 1 order by 1"
tidelake sql '\\d silver.sessions'
tidelake sql "from events" --format parquet --output events.parquet
tidelake sql -f report.sql --format csv > report.csv
"""


def sql(
    ctx: typer.Context,
    query: Annotated[str, typer.Argument(help="SQL, as DuckDB reads it")] = "",
    file: Annotated[
        Path | None, typer.Option("--file", "-f", help="read the query from a file")
    ] = None,
    layer: Annotated[
        Literal["lake", "raw", "silver", "gold", "all"],
        typer.Option("--layer", "-l", help="where a bare name is looked for"),
    ] = "all",
    as_of: Annotated[
        str,
        typer.Option(
            "--as-of", metavar="TIME", help="a time, 1h, a tag, a snapshot id, or v12 of gold"
        ),
    ] = "",
    pii: Annotated[
        bool, typer.Option("--pii", help="read silver's personal tables (silver_pii) too")
    ] = False,
    form: Annotated[
        Literal["table", "csv", "json", "ndjson", "parquet"],
        typer.Option("--format", help="how to write the answer"),
    ] = "table",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="file to write the answer to")
    ] = None,
    limit: Annotated[int | None, typer.Option("--limit", "-n", min=1, help="rows at most")] = None,
) -> None:
    """Asks the layers in SQL (DuckDB): `lake.events`, `silver.sessions`, `gold.daily_traffic`,
    `raw.events`. Reads only.

    A bare name is looked for in the lake, silver, gold and raw, in this order, or in `--layer`
    alone: `events` is the lake's. `--as-of` goes back in the lake, and in gold as far as versions
    are kept. The query comes from the argument, a file or stdin; without one a terminal gets a
    prompt (`\\d` lists the tables), a pipe gets examples and the columns of the tables.

    Examples: `tidelake sql "select event_type, count(*) from events group by all"`,
    `tidelake sql "select count(*) from events" --as-of yesterday`,
    `tidelake sql --layer gold "from daily_traffic order by day"`,
    `echo "from events" | tidelake sql --format csv --limit 1000 > events.csv`
    """
    from datetime import UTC, datetime

    from tidelake.pipeline.lakehouse import opened
    from tidelake.pipeline.query import queries

    text = _text(query, file)
    with (
        opened(settings_of(ctx)) as lakehouse,
        queries(lakehouse, as_of, datetime.now(UTC), layer, personal=pii) as asked,
    ):
        if text.strip().startswith("\\d"):
            sql_tables.describe(asked, text.strip()[2:].strip(), screen.console())
        elif not text.strip() and sys.stdin.isatty() and sys.stdout.isatty():
            prompt(asked, layer, limit)
        elif not text.strip():
            typer.echo(EXAMPLES)
            sql_tables.introduce(asked, screen.console())
        elif form == "table" and output is None:
            for statement in asked.statements(text):
                sql_tables.show(asked.answer(statement, limit or SHOWN_ROWS), limit)
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
    from tidelake.pipeline.answer_file import answer_file

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
    with answer_file(output) as out:
        written = asked.write(statements[0], out, form, limit)
    typer.echo(f"{written:,} rows written to {output}", err=True)
