"""Answers as text: rows of Python values become CSV, JSON or a JSON line each."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import IO, Any

Rows = Iterator[Sequence[Any]]


def plain(value: Any) -> Any:
    """A value as JSON and CSV hold it: times in ISO 8601, bytes in hex."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, dict):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    if isinstance(value, Decimal):
        return float(value)
    return value if isinstance(value, str | int | float | bool) or value is None else str(value)


def _write_csv(out: IO[str], columns: Sequence[str], rows: Rows) -> int:
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    written = 0
    for row in rows:
        cells = (plain(value) for value in row)
        writer.writerow(json.dumps(c) if isinstance(c, list | dict) else c for c in cells)
        written += 1
    return written


def _write_ndjson(out: IO[str], columns: Sequence[str], rows: Rows) -> int:
    written = 0
    for row in rows:
        out.write(_object(columns, row) + "\n")
        written += 1
    return written


def _write_json(out: IO[str], columns: Sequence[str], rows: Rows) -> int:
    written = 0
    for row in rows:
        out.write(("[\n" if written == 0 else ",\n") + _object(columns, row))
        written += 1
    out.write("\n]\n" if written else "[]\n")
    return written


def _object(columns: Sequence[str], row: Sequence[Any]) -> str:
    values = {name: plain(value) for name, value in zip(columns, row, strict=True)}
    return json.dumps(values, ensure_ascii=False)


#: Each writes a header, where it has one, and all rows; gives the number of rows.
WRITERS: dict[str, Callable[[IO[str], Sequence[str], Rows], int]] = {
    "csv": _write_csv,
    "json": _write_json,
    "ndjson": _write_ndjson,
}
