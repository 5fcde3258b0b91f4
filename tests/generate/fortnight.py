"""One fortnight of generated events, and SQL over it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tidelake.generate import GeneratorSpec, generate

START, END = datetime(2026, 11, 2, tzinfo=UTC), datetime(2026, 11, 16, tzinfo=UTC)
FORTNIGHT = GeneratorSpec(seed=3, users=20_000, start=START, end=END, count=100_000)

_TABLE = """
create table events as
select event_id, event_type, user_id, anonymous_id, "timestamp" as sent, metadata,
    _doc as doc, _doc.session_info as session, _doc.session_info.session_id as session_id,
    _doc.location as location, _doc.user_agent as agent, _doc.performance as performance,
    _doc.engagement as engagement, _doc.page as page, row_number() over () as line,
    strptime("timestamp", '%Y-%m-%dT%H:%M:%S.%gZ') as time
from read_json($1, format = 'newline_delimited', convert_strings_to_integers = false,
    sample_size = -1, timestampformat = 'none of them', dateformat = 'none of them')
"""


class Questions:
    """SQL over the fortnight."""

    def __init__(self, path: Path) -> None:
        import duckdb

        self._duckdb = duckdb.connect()
        self._duckdb.execute("set threads = 1")
        self._duckdb.execute(_TABLE, [str(path)])

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return self._duckdb.execute(sql).fetchall()

    def one(self, sql: str) -> Any:
        """The single value of a single row."""
        ((value,),) = self.rows(sql)
        return value

    def close(self) -> None:
        self._duckdb.close()


def lines_of(spec: GeneratorSpec, **changes: Any) -> list[bytes]:
    """All lines of a spec, without newlines."""
    text = b"".join(chunk.lines() for chunk in generate(replace(spec, **changes)))
    return text.splitlines()
