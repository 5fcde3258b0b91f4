"""Raw made anew from the lake, beside the old one, then put in its place.

The ledger says of each record which load brought it, so a row gets the load id, the row number and
the day of load that it had. Only partitions are exchanged: raw.<table> itself, with its rights and
the views on it, stays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from psycopg import sql

from tidelake import crash
from tidelake.errors import DamagedError, FencedError
from tidelake.warehouse.raw import ledger
from tidelake.warehouse.raw.copying import copy_into, with_load
from tidelake.warehouse.raw.load import LakeFile, Reader
from tidelake.warehouse.raw.reconcile import State
from tidelake.warehouse.raw.records import Numbers, numbers_of
from tidelake.warehouse.raw.tables import (
    OWNER,
    attach_partition,
    make_table_like,
    partition_day,
    partition_name,
    partitions,
    qualified,
)
from tidelake.warehouse.roles import acting_as
from tidelake.warehouse.session import Connection
from tidelake.warehouse.watermarks import Watermarks

EPOCH = date(1970, 1, 1)
NEXT = "next_"  # before the name of a table that is to become a partition
INDEX = "_load_id_idx"  # as PostgreSQL calls it by itself
FILES_A_COMMIT = 50

LOADS = """
select load_id, load_day, dropped_at is not null from tidelake.loads where table_name = %s
"""

RUNS = """
select stream, lower(run), upper(run) - 1, load_id
from tidelake.loads
inner join tidelake.loaded_records using (load_id)
cross join lateral unnest(records) as runs (run)
where table_name = %s
order by load_id, stream, lower(run)
"""

ASIDE = """
select load_id, row_number, source_position from tidelake.set_aside where table_name = %s
"""

BROUGHT_BACK = """
with back as (
    update tidelake.loads set dropped_at = null
    where table_name = %(table)s and dropped_at is not null
    returning rows
)

update tidelake.load_totals set brought_back_at = clock_timestamp()
where table_name = %(table)s and exists (select from back where rows > 0)
"""

LEFT_OVER = """
select relname from pg_class
where relnamespace = to_regnamespace('raw') and relname ~ %s and relkind = 'r'
order by relname
"""


@dataclass(frozen=True, slots=True)
class _Stream:
    """The runs of one stream, in order of their first numbers, and the load of each."""

    firsts: Numbers
    lasts: Numbers
    loads: Numbers
    before: Numbers  # records of the load that come before the run


@dataclass
class Places:
    """Where each record of a table belongs: load, row number, day of load."""

    streams: dict[str, _Stream]
    days: dict[int, date]
    dropped: frozenset[int]
    aside: frozenset[str]  # source positions that PostgreSQL refused
    unknown: int = 0

    @classmethod
    def of(cls, connection: Connection, table: str, dropped_too: bool = False) -> Places:
        loads = connection.execute(LOADS, (table,)).fetchall()
        aside = connection.execute(ASIDE, (table,)).fetchall()
        return cls(
            streams=_streams(connection.execute(RUNS, (table,)).fetchall()),
            days={load_id: day for load_id, day, _ in loads},
            dropped=frozenset(load_id for load_id, _, gone in loads if gone and not dropped_too),
            aside=frozenset(position for _, _, position in aside if position is not None),
        )

    def by_day(self, batch: pa.RecordBatch) -> Iterator[tuple[date, pa.RecordBatch]]:
        """The rows of a batch for each day of load, as they stand in raw."""
        positions = batch.column("source_position")
        load_ids, row_numbers = self._places(positions)
        kept = load_ids > 0
        if self.aside:
            kept &= ~pc.is_in(positions, pa.array(sorted(self.aside), pa.string())).to_numpy(
                zero_copy_only=False
            )
        for load_id in np.unique(load_ids[kept]).tolist():
            if load_id in self.dropped:
                kept &= load_ids != load_id
        known, place = np.unique(load_ids, return_inverse=True)
        days = np.array(
            [(self.days.get(load_id, EPOCH) - EPOCH).days for load_id in known.tolist()], np.int32
        )[place]
        rows = with_load(
            batch,
            pa.array(load_ids),
            pa.array(row_numbers.astype(np.int32)),
            pa.array(days, pa.int32()).cast(pa.date32()),
        )
        for day in np.unique(days[kept]).tolist():
            yield EPOCH + timedelta(days=day), rows.filter(pa.array(kept & (days == day)))

    def _places(self, positions: pa.Array) -> tuple[Numbers, Numbers]:
        """Load id and row number of each row; 0 where no load has the record."""
        names, streams, numbers = numbers_of(positions)
        load_ids, rows = np.zeros(len(numbers), np.int64), np.zeros(len(numbers), np.int64)
        for code, name in enumerate(names):
            mine = np.flatnonzero(streams == code)
            if (runs := self.streams.get(name)) is None:
                continue
            at = np.searchsorted(runs.firsts, numbers[mine], side="right") - 1
            found = (at >= 0) & (numbers[mine] <= runs.lasts[np.maximum(at, 0)])
            mine, at = mine[found], at[found]
            load_ids[mine] = runs.loads[at]
            rows[mine] = runs.before[at] + numbers[mine] - runs.firsts[at] + 1
        self.unknown += int((load_ids == 0).sum())
        return load_ids, rows


def _streams(runs: Sequence[tuple[str, int, int, int]]) -> dict[str, _Stream]:
    """`runs` are (stream, first, last, load id), in the order of loads."""
    gathered: dict[str, list[tuple[int, int, int, int]]] = {}
    load, before = 0, 0
    for stream, first, last, load_id in runs:
        load, before = (load_id, before) if load_id == load else (load_id, 0)
        gathered.setdefault(stream, []).append((first, last, load_id, before))
        before += last - first + 1
    found = {}
    for stream, rows in gathered.items():
        columns = np.array(sorted(rows), np.int64).T
        found[stream] = _Stream(*columns)
    return found


@dataclass
class Refill:
    """Fills tables beside raw.<table> from a state of the lake, and puts them in its place.

    With `dropped_too` the days that retention has dropped are among them.
    """

    connection: Connection
    reader: Reader
    table: str
    state: State
    stands_at: ledger.Totals
    dropped_too: bool = False
    rows: int = 0
    _made: set[date] = field(default_factory=set)

    def fill(self, report: Callable[[int, int, int], None]) -> None:
        """Reads all files; `report` is told how many of how many were read, and the rows.

        Raises DamagedError where the lake has rows that the ledger has not.
        """
        self._remove_left_over()
        places = Places.of(self.connection, self.table, self.dropped_too)
        files = self.state.live()
        for begin in range(0, len(files), FILES_A_COMMIT):
            with self.connection.transaction():
                for file in files[begin : begin + FILES_A_COMMIT]:
                    self._file(file, places)
            report(min(begin + FILES_A_COMMIT, len(files)), len(files), self.rows)
        if places.unknown:
            raise DamagedError(
                f"{places.unknown:,} rows of the lake's {self.table} are in no load",
                hint="Run the rebuild again: the lake has changed meanwhile.",
            )
        self._index()

    def swap(self) -> None:
        """Drops raw's partitions and puts the new ones in their place, in one transaction.

        Raises FencedError where something was loaded since the beginning.
        """
        connection = self.connection
        with connection.transaction():
            connection.execute("select last from tidelake.load_counter for update")
            self._require_unchanged()
            with acting_as(connection, OWNER):
                for name in partitions(connection, self.table):
                    connection.execute(sql.SQL("drop table {}").format(qualified(name)))
                for name in self._tables():
                    self._put_in_place(name)
            if self.dropped_too:
                connection.execute(BROUGHT_BACK, {"table": self.table})
            connection.execute(
                "update tidelake.load_totals set epoch = epoch + 1 where table_name = %s",
                (self.table,),
            )
            crash.point("rebuild.before_swap")
            watermarks = Watermarks(connection)
            watermarks.register(ledger.CONSUMER, self.table, self.state.sequence_number)
        crash.point("rebuild.after_swap")

    def _file(self, file: LakeFile, places: Places) -> None:
        for batch in self.reader.batches(file.location):
            for day, rows in places.by_day(batch):
                if day not in self._made:
                    self._make(day)
                self.rows += copy_into(self.connection, self._name(day), [rows])

    def _make(self, day: date) -> None:
        with acting_as(self.connection, OWNER):
            make_table_like(self.connection, self.table, self._name(day))
            # So that attaching need not look at every row.
            self.connection.execute(
                sql.SQL("alter table {} add constraint of_its_day check (load_day = {})").format(
                    qualified(self._name(day)), sql.Literal(day)
                )
            )
        self._made.add(day)

    def _name(self, day: date) -> str:
        return NEXT + partition_name(self.table, day)

    def _tables(self) -> list[str]:
        found = self.connection.execute(LEFT_OVER, (f"^{NEXT}{self.table}_[0-9]{{8}}$",)).fetchall()
        return [name for (name,) in found]

    def _remove_left_over(self) -> None:
        """Of a rebuild that did not come to its end."""
        with acting_as(self.connection, OWNER):
            for name in self._tables():
                self.connection.execute(sql.SQL("drop table {}").format(qualified(name)))

    def _index(self) -> None:
        for name in self._tables():
            with acting_as(self.connection, OWNER):
                self.connection.execute(
                    sql.SQL("create index {} on {} (load_id)").format(
                        sql.Identifier(name + INDEX), qualified(name)
                    )
                )
                self.connection.execute(sql.SQL("analyze {}").format(qualified(name)))

    def _put_in_place(self, name: str) -> None:
        final = name.removeprefix(NEXT)
        self.connection.execute(
            sql.SQL("alter index {} rename to {}").format(
                qualified(name + INDEX), sql.Identifier(final + INDEX)
            )
        )
        self.connection.execute(
            sql.SQL("alter table {} rename to {}").format(qualified(name), sql.Identifier(final))
        )
        attach_partition(self.connection, self.table, final, partition_day(final))
        self.connection.execute(
            sql.SQL("alter table {} drop constraint of_its_day").format(qualified(final))
        )

    def _require_unchanged(self) -> None:
        now = ledger.totals(self.connection)[self.table]
        before = self.stands_at
        if (now.epoch, now.last_load_id) != (before.epoch, before.last_load_id):
            raise FencedError(
                f"raw.{self.table} was loaded by another while it was made anew",
                hint="Nothing is changed; run the rebuild again.",
            )
