"""Which records the loads of the ledger hold, read some thousand loads at a time.

A ledger of years has millions of loads: what is kept in memory grows with the streams, whose runs
lie side by side, and not with the loads.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from tidelake.warehouse.raw.records import NO_RUNS, Runs, count, union, without
from tidelake.warehouse.session import Connection

LOADS_AT_ONCE = 2000

#: The records of loads, by load and stream, in the order of loads.
Loads: TypeAlias = dict[int, dict[str, Runs]]

PAGE = """
select array_agg(load_id order by load_id)
from (
    select load_id from tidelake.loads
    where table_name = %s and load_id > %s
    order by load_id
    limit %s
) as page
"""

RECORDS = """
select load_id, stream, lower(run), upper(run) - 1
from tidelake.loaded_records
cross join lateral unnest(records) as runs (run)
where load_id = any(%s)
order by load_id, stream, lower(run)
"""


@dataclass
class Held:
    """What all loads of a table hold, by stream."""

    streams: dict[str, Runs] = field(default_factory=dict)
    _counts: dict[str, int] = field(default_factory=dict)  # of every load, added up

    def add(self, streams: dict[str, list[Runs]]) -> None:
        for stream, runs in streams.items():
            self.streams[stream] = union([self.streams.get(stream, NO_RUNS), *runs])
            self._counts[stream] = self._counts.get(stream, 0) + sum(map(count, runs))

    def missing(self, records: dict[str, Runs]) -> dict[str, Runs]:
        """Those of the records that no load holds."""
        left = {s: without(runs, self.streams.get(s, NO_RUNS)) for s, runs in records.items()}
        return {stream: runs for stream, runs in left.items() if len(runs)}

    def doubled(self) -> set[str]:
        """Streams of which two loads hold a record. Number 0 is of rows that are none of ours."""
        return {
            stream
            for stream, runs in self.streams.items()
            if self._counts[stream] != count(runs) and runs[0, 0] > 0
        }


def held_by_loads(connection: Connection, table: str) -> Held:
    """What the ledger says of a table."""
    found = Held()
    for loads in pages(connection, table):
        found.add(by_stream(loads.values()))
    return found


def pages(connection: Connection, table: str) -> Iterator[Loads]:
    """The loads of a table with their records, in order; those given may be changed meanwhile."""
    after = 0
    while True:
        row = connection.execute(PAGE, (table, after, LOADS_AT_ONCE)).fetchone()
        if row is None or row[0] is None:
            return
        yield of_loads(connection, row[0])
        after = row[0][-1]


def of_loads(connection: Connection, load_ids: Sequence[int]) -> Loads:
    """The records of some loads."""
    gathered: dict[int, dict[str, list[tuple[int, int]]]] = {}
    for load_id, stream, first, last in connection.execute(RECORDS, (list(load_ids),)):
        gathered.setdefault(load_id, {}).setdefault(stream, []).append((first, last))
    return {
        load_id: {stream: np.array(runs, np.int64) for stream, runs in streams.items()}
        for load_id, streams in gathered.items()
    }


def by_stream(many: Iterable[dict[str, Runs]]) -> dict[str, list[Runs]]:
    """The runs of all, by stream."""
    gathered: dict[str, list[Runs]] = {}
    for streams in many:
        for stream, runs in streams.items():
            gathered.setdefault(stream, []).append(runs)
    return gathered
