"""The tables of a gold file against the same questions asked of the lake alone.

Exact for keys and counts; sums of doubles to a relative 1e-9, since they are added up in another
order; percentiles, which gold reads off bins, to 2.5 %. A row whose measures are all zero says as
much as none: gold may keep one for what was there and went (a session that turned out a bot's).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.gold.independent import queries

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

SHOWN = 5
SUMS = 1e-9  # relative
PERCENTILES = 0.025
NOTHING = 1e-6  # a sum that is smaller is what rounding left of zero

Rows = dict[tuple[Any, ...], tuple[Any, ...]]
Ask = Callable[["duckdb.DuckDBPyConnection", str], "pa.Table"]


@dataclass(frozen=True, slots=True)
class Comparison:
    """One question: rows that either side knows, how many differ, and the first of those."""

    question: str
    rows: int
    differences: int
    shown: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Question:
    """A table of gold: how to ask the lake for it, how many columns are its key."""

    ask: Ask
    keys: int
    tolerance: float = SUMS

    @property
    def name(self) -> str:
        return self.ask.__name__


QUESTIONS = (
    Question(queries.daily_traffic, 3),
    Question(queries.events_by_hour, 3),
    Question(queries.engagement_by_type, 4),
    Question(queries.sessions_by_day, 4),
    Question(queries.funnel, 5),
    Question(queries.retention, 4),
    Question(queries.revenue_by_day, 4),
    Question(queries.revenue_by_product, 7),
    Question(queries.top_pages, 4),
    Question(queries.acquisition, 7),
    Question(queries.searches, 4),
    Question(queries.web_performance_bins, 6),
    Question(queries.web_performance, 5, PERCENTILES),
    Question(queries.data_quality, 4),
    Question(queries.unknown_types, 3),
)


def compare(lake: duckdb.DuckDBPyConnection, gold_file: Path, timezone: str) -> list[Comparison]:
    """Every table of the gold file against the lake, which must hold no more than gold has read.

    `lake` has the views `events` and `rejected_events`; it is only read.
    """
    import duckdb

    with duckdb.connect(str(gold_file), read_only=True) as gold:
        gold.execute("set timezone = 'UTC'")
        found = [_compare(question, lake, gold, timezone) for question in QUESTIONS]
        health = _pipeline_health(lake, gold, timezone)
        return [*found, health, _books(lake, gold, timezone), _publication(gold, timezone)]


def _compare(
    question: Question,
    lake: duckdb.DuckDBPyConnection,
    gold: duckdb.DuckDBPyConnection,
    timezone: str,
) -> Comparison:
    expected = question.ask(lake, timezone)
    found = gold.execute(f"select * from gold.{question.name}").to_arrow_table()
    wrong = list(_unlike_columns(expected.schema, found.schema))
    if not wrong:
        keys = question.keys
        wrong += _doubled(found, keys)
        wrong += unlike_rows(_rows(expected, keys), _rows(found, keys), question.tolerance)
    return _told(question.name, max(expected.num_rows, found.num_rows), wrong)


def _told(name: str, rows: int, wrong: Sequence[str]) -> Comparison:
    return Comparison(name, rows, len(wrong), tuple(wrong[:SHOWN]))


def _unlike_columns(expected: pa.Schema, found: pa.Schema) -> Iterator[str]:
    one, other = ([f"{c.name} {c.type}" for c in schema] for schema in (expected, found))
    if one != other:
        yield f"columns: expected {', '.join(one)}; gold has {', '.join(other)}"


def _doubled(table: pa.Table, keys: int) -> Iterator[str]:
    names = table.column_names[:keys]
    counted = table.group_by(names).aggregate([([], "count_all")])
    for row in counted.to_pylist():
        if row["count_all"] > 1:
            yield f"{_plain(row[name] for name in names)}: {row['count_all']} rows of one key"


def _rows(table: pa.Table, keys: int) -> Rows:
    """Measures by key; rows of zeros left out."""
    columns = [column.to_pylist() for column in table.columns]
    every = zip(*columns, strict=True)
    return {row[:keys]: row[keys:] for row in every if not all(map(_is_zero, row[keys:]))}


def _is_zero(value: Any) -> bool:
    return isinstance(value, int | float) and abs(value) < NOTHING


def unlike_rows(expected: Rows, found: Rows, tolerance: float = SUMS) -> Iterator[str]:
    """A sentence for every key whose measures are not the same."""
    for key in sorted(expected.keys() | found.keys(), key=repr):
        one, other = expected.get(key), found.get(key)
        if one is None or other is None or not _alike(one, other, tolerance):
            yield f"{_plain(key)}: expected {_plain(one)}; gold has {_plain(other)}"


def _alike(one: tuple[Any, ...], other: tuple[Any, ...], tolerance: float) -> bool:
    return all(
        math.isclose(a, b, rel_tol=tolerance, abs_tol=NOTHING)
        if isinstance(a, float) and isinstance(b, float)
        else a == b
        for a, b in zip(one, other, strict=True)
    )


def _plain(values: Iterable[Any] | None) -> str:
    return "no row" if values is None else " | ".join(str(value) for value in values)


def _pipeline_health(
    lake: duckdb.DuckDBPyConnection, gold: duckdb.DuckDBPyConnection, timezone: str
) -> Comparison:
    """What was committed and loaded in all hours that gold has (30 days)."""
    expected = queries.pipeline_health(lake, timezone)
    found = gold.execute("""
        select table_name, sum(loaded_rows)::bigint from gold.pipeline_health group by table_name
        union all
        select 'records of both', sum(records)::bigint from gold.pipeline_health
    """).to_arrow_table()
    wrong = list(unlike_rows(_rows(expected, 1), _rows(found, 1)))
    return _told("pipeline_health (sums)", expected.num_rows, wrong)


def _books(
    lake: duckdb.DuckDBPyConnection, gold: duckdb.DuckDBPyConnection, timezone: str
) -> Comparison:
    """No line has a difference, and those that the lake can tell say what it does.

    A line that expects nothing (of raw: PostgreSQL does not know what the lake holds) is held
    against the lake all the same.
    """
    lines = gold.execute(
        "select layer, measure, expected, found, difference from gold.books"
    ).fetchall()
    wrong = [
        _plain(line)
        for line in lines
        if line[2] is not None and (line[4] != 0 or line[2] != line[3])
    ]
    found = {line[:2]: line[3:4] for line in lines}
    expected = _rows(queries.books(lake, timezone), 2)
    wrong += unlike_rows(expected, {key: found[key] for key in expected if key in found})
    return _told("books", len(lines), wrong)


def _publication(gold: duckdb.DuckDBPyConnection, timezone: str) -> Comparison:
    lines = gold.execute("select timezone, trouble from gold.publication").fetchall()
    wrong = [f"expected {timezone}, gold has {zone}" for zone, _ in lines if zone != timezone]
    wrong += [f"trouble: {trouble}" for _, trouble in lines if trouble]
    wrong += [f"{len(lines)} rows, not one"] if len(lines) != 1 else []
    return _told("publication", len(lines), wrong)
