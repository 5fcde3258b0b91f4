"""Writes a summary report: one HTML file that needs nothing else, and its tables to work with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from tidelake.errors import SetupError, UsageError
from tidelake.pipeline import published
from tidelake.pipeline.answer_file import answer_file
from tidelake.pipeline.home import require_home
from tidelake.pipeline.query_formats import WRITERS
from tidelake.pipeline.report_figures import Figures, figures, last_day, projects
from tidelake.pipeline.report_page import page
from tidelake.pipeline.report_period import Kind, Period

if TYPE_CHECKING:
    import pyarrow as pa

# The last four are wide forms of the first, which Excel takes for them.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")

MONEY = ("revenue", "shipping", "tax", "discount", "refunded")


@dataclass(frozen=True, slots=True)
class Written:
    """What was written: the page, and a CSV and a Parquet file for each table."""

    title: str
    page: Path
    tables: tuple[Path, ...]


def report(
    home: Path, kind: Kind, day: date | None, project: str, into: Path, now: datetime
) -> Written:
    """Writes the report on a day or the week that holds it; by default the last that is over.

    Asks the published gold alone: no pipeline needs to run. Raises `UsageError` where there is
    no home, no gold is published, the project is not known, or the day is not over the horizon of
    what happened; `SetupError` where `into` can not be written.
    """
    require_home(home)
    with published.opened(home) as connection:
        gold = published.said(connection)
        if project and project not in (known := projects(connection)):
            raise UsageError(
                f"no event is of the project {project!r}",
                hint=f"There are: {', '.join(known) or 'none yet'}.",
            )
        today = now.astimezone(ZoneInfo(gold.timezone)).date()
        if day is not None and day > today:
            raise UsageError(f"{day} has not begun", hint=f"Today is {today}.")
        period = Period.newest(kind, today, last_day(connection, project))
        if day is not None:
            period = Period.holding(kind, day)
        found = figures(connection, gold, period, project)
    return _write(found, into)


def _write(found: Figures, into: Path) -> Written:
    period = found.period
    name = f"{period.kind}-{period.name}" + (f"-{_plain(found.project)}" if found.project else "")
    try:
        folder = into / name
        folder.mkdir(parents=True, exist_ok=True)
        path = into / f"{name}.html"
        with answer_file(path) as out:
            out.write(page(found).encode())
        tables = tuple(_exports(found, folder))
    except OSError as exc:
        raise SetupError(
            f"the report can not be written to {into}: {exc}",
            hint="Name another folder with --into.",
        ) from exc
    return Written(f"{period.kind.capitalize()} report, {found.title}", path, tables)


def _exports(found: Figures, folder: Path) -> Iterator[Path]:
    import pyarrow.parquet as pq

    for name, table in found.tables.items():
        parquet, text = folder / f"{name}.parquet", folder / f"{name}.csv"
        with answer_file(parquet) as out:
            pq.write_table(table, out, compression="zstd")
        _write_csv(table, text)
        yield from (text, parquet)


def _write_csv(table: pa.Table, path: Path) -> None:
    with answer_file(path) as file, TextIOWrapper(file, "utf-8", newline="") as out:
        rows = (tuple(_as_text(*cell) for cell in row.items()) for row in table.to_pylist())
        WRITERS["csv"](out, table.column_names, rows)


def _as_text(column: str, value: Any) -> Any:
    """Money has two decimals: those beyond come of adding up binary fractions. A text that a
    spreadsheet would run as a formula gets a ' before it, as OWASP says; who wants it as it was
    sent finds it in the Parquet file.

    https://owasp.org/www-community/attacks/CSV_Injection
    """
    if column in MONEY and value is not None:
        return f"{value:.2f}"
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA_STARTS) else value


def _plain(project: str) -> str:
    """A project as part of a file name."""
    return "".join(c if c.isalnum() or c in "-_" else "_" for c in project)
