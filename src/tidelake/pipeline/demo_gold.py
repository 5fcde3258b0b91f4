"""The end of the demo's path: until gold shows what the lake holds, and how long that took."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tidelake.errors import UnavailableError
from tidelake.pipeline import published
from tidelake.pipeline.gold_latency import gold_latency
from tidelake.pipeline.lakehouse import Lakehouse
from tidelake.pipeline.query import Answer
from tidelake.warehouse.session import connect

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

STANDS_FOR_S = 180.0  # without a row loaded or a load shown
LOOK_EVERY_S = 0.25

# Rows that are in raw or set aside, and the newest load that gold shows.
STANDING = """
select
    (select sum(rows + set_aside)::bigint from tidelake.load_totals),
    (select last from tidelake.load_counter),
    coalesce((select to_load_id from tidelake.publications order by version desc limit 1), 0)
"""

QUESTIONS = {
    "the funnel, from gold": """
        select step_name, sum(sessions)::bigint as sessions,
               round(100.0 * sum(sessions) / max(sum(sessions)) over (), 1) as percent
        from funnel group by step, step_name order by step
    """,
}


@dataclass(frozen=True, slots=True)
class Gold:
    """What gold shows at the end. `latency_s`: seconds from a 2xx until gold showed the event."""

    version: int
    events: int
    latency_s: dict[str, float]
    answers: dict[str, Answer]


def wait_for_gold(
    lakehouse: Lakehouse,
    rows: int,
    watch: Callable[[str], None],
    stands_for_s: float = STANDS_FOR_S,
) -> None:
    """Returns when gold shows the lake's `rows` (events and rejects).

    `watch` is called meanwhile, with how far it is. Raises `UnavailableError` where nothing moves
    for `stands_for_s` seconds: a slow machine takes long, and gets there.
    """
    deadline, before = time.monotonic() + stands_for_s, None
    with connect(lakehouse.database_url) as connection:
        while True:
            loaded, newest, shown = connection.execute(STANDING).fetchall()[0]
            if loaded >= rows and shown >= newest:
                return
            if (loaded, shown) != before:
                deadline, before = time.monotonic() + stands_for_s, (loaded, shown)
            watch(f"load {shown:,} of {newest:,}, {loaded:,} of {rows:,} rows in raw")
            if time.monotonic() > deadline:
                raise UnavailableError(
                    f"gold stands at load {shown:,} of {newest:,}, and raw holds {loaded:,} of "
                    f"{rows:,} rows, and nothing has moved for {stands_for_s:.0f} s",
                    hint="The ends of logs/load.log and logs/transform.log in the home say why.",
                )
            time.sleep(LOOK_EVERY_S)


def look_at_gold(lakehouse: Lakehouse, began: float, ended: float) -> Gold:
    """The published gold; the latency of what arrived from `began` to `ended` (epoch seconds)."""
    home = lakehouse.settings.home
    newest = published.newest(home)
    assert newest is not None, "gold was waited for"
    with connect(lakehouse.database_url) as connection:
        latency = gold_latency(connection, began, ended)
    with published.opened(home) as gold:
        [(events,)] = gold.execute("select sum(events)::bigint from daily_traffic").fetchall()
        answers = {question: _answer(gold, sql) for question, sql in QUESTIONS.items()}
    return Gold(newest.said.version, events, latency, answers)


def _answer(gold: DuckDBPyConnection, sql: str) -> Answer:
    asked = gold.execute(sql)
    return Answer(
        tuple(column[0] for column in asked.description or ()), tuple(asked.fetchall()), False
    )
