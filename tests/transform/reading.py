"""What readers see of a home: of its gold, and of its windows."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from typing import Any

import duckdb
from tests.transform.conftest import WITHIN_S, Raw

from tidelake.pipeline.transformer import Transformer


def asked(transformer: Transformer, query: str) -> Any:
    """The one value of a query of the gold that is published now."""
    folder = transformer.folder.path
    path = folder / (folder / "current").read_text("utf-8")
    with duckdb.connect(str(path), read_only=True) as connection:
        row = connection.execute(query).fetchone()
    assert row is not None
    return row[0]


def counted_days(transformer: Transformer) -> int:
    """Events that a view of gold counts."""
    return int(asked(transformer, "select coalesce(sum(events), 0)::int from gold.days"))


def trouble(transformer: Transformer) -> str:
    return str(asked(transformer, "select trouble from gold.publication"))


def windows(raw: Raw) -> list[tuple[object, ...]]:
    return raw.ask(
        "select from_load_id, to_load_id, status, raw_rows, new_events, repeats "
        "from tidelake.windows order by 1"
    )


def until(true: Callable[[], object], process: subprocess.Popen[bytes]) -> None:
    """Waits for what a process that runs is to bring about."""
    deadline = time.monotonic() + WITHIN_S
    while not true():
        assert process.poll() is None, "it ended"
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.05)
