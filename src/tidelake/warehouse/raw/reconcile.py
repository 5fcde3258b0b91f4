"""Compares the ledger with the lake, record by record, and makes raw what the lake is.

For when something does not add up: rows were rolled back, another engine rewrote files, the lake is
older than its loader. File names tell nothing then, since compaction gives rows other files; the
records that rows were made from do.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from psycopg import sql

from tidelake import crash
from tidelake.warehouse.raw import ledger
from tidelake.warehouse.raw.holdings import (
    LOADS_AT_ONCE,
    Held,
    Loads,
    by_stream,
    held_by_loads,
    of_loads,
    pages,
)
from tidelake.warehouse.raw.load import LakeFile, Loading
from tidelake.warehouse.raw.records import (
    NO_RUNS,
    Records,
    Runs,
    as_multirange,
    count,
    held,
    numbers_of,
    union,
    without,
)
from tidelake.warehouse.raw.tables import columns_of, qualified
from tidelake.warehouse.session import Connection
from tidelake.warehouse.watermarks import Watermarks

POSITIONS_AT_ONCE = 50_000

BEGIN = """
update tidelake.load_totals set epoch = epoch + 1 where table_name = %s returning epoch
"""

DONE = """
with summed as (
    update tidelake.load_totals
    set unexplained = %(rows)s - rows - set_aside
    where table_name = %(table)s
    returning unexplained
),

written as (
    update tidelake.reconciliations as done
    set loaded = %(loaded)s, unexplained = summed.unexplained
    from summed
    where done.id = %(id)s
),

added as (
    insert into tidelake.reconciliations
    (table_name, sequence_number, reason, loaded, removed, unexplained)
    select %(table)s, %(sequence)s, %(reason)s, %(loaded)s, 0, unexplained
    from summed
    where %(id)s::bigint is null
)

select unexplained from summed
"""

# In the transaction of the removal: silver must hear of it also where the end is never reached.
REMOVED = """
insert into tidelake.reconciliations
(table_name, sequence_number, reason, loaded, removed, highest_load_id, at)
values (%(table)s, %(sequence)s, %(reason)s, 0, %(removed)s, %(highest)s, clock_timestamp())
returning id
"""

MORE_REMOVED = """
update tidelake.reconciliations
set removed = %(removed)s, highest_load_id = %(highest)s, at = clock_timestamp()
where id = %(id)s
returning id
"""

LESS = """
with load as (
    update tidelake.loads
    set rows = rows - %(rows)s, set_aside = set_aside - %(set_aside)s
    where load_id = %(load_id)s
    returning table_name
)

update tidelake.load_totals as totals
set rows = totals.rows - %(rows)s, set_aside = totals.set_aside - %(set_aside)s
from load
where totals.table_name = load.table_name
"""


class State(Protocol):
    """One state of a table of the lake."""

    @property
    def sequence_number(self) -> int: ...

    @property
    def rows(self) -> int: ...

    def live(self) -> Sequence[LakeFile]:
        """Every file of the state, in the order in which they came."""


@dataclass
class Outcome:
    """What a reconcile has changed."""

    loaded: int = 0  # rows that raw lacked, those set aside included
    removed: int = 0  # rows that are not in the lake any more
    highest_load_id: int | None = None  # of the loads that lost rows
    unexplained: int = 0  # rows that the lake has beyond those in the ledger
    id: int | None = None  # of its row in tidelake.reconciliations, once it has removed rows


def begin(connection: Connection, table: str) -> int:
    """The new epoch: loads that were decided on before it are refused from now on.

    The watermark goes back to the start, so that care moves no rows until the end.
    """
    with connection.transaction():
        connection.execute("select last from tidelake.load_counter for update")
        (epoch,) = connection.execute(BEGIN, (table,)).fetchone() or (0,)
        Watermarks(connection).register(ledger.CONSUMER, table, 0)
    return int(epoch)


def reconcile(
    loading: Loading,
    state: State,
    reason: str,
    stopped: Callable[[], bool] = lambda: False,
) -> Outcome | None:
    """Makes raw hold what `state` holds, each record once; None where it was told to stop.

    `loading` is of the epoch that `begin` gave. May be killed anywhere and run again: each step is
    a transaction that moves ledger and rows together, and what is left is found anew. Raises
    FencedError where another reconcile has begun.
    """
    outcome, connection, table = Outcome(), loading.connection, loading.table
    why = {"table": table, "sequence": state.sequence_number, "reason": reason}
    files = state.live()
    found = _records_of(loading, files)
    lake = {stream: union(runs) for stream, runs in by_stream(found.values()).items()}
    doubled = held_by_loads(connection, table).doubled()
    for load_id, gone in _gone(pages(connection, table), doubled, lake):
        if stopped():
            return None
        _remove(loading, load_id, gone, why, outcome)
    known = held_by_loads(connection, table)
    for file in files:
        if stopped():
            return None
        _load_missing(loading, file, found[file.location], known, state, outcome)
    _finish(loading, state, why, outcome)
    return outcome


def _records_of(loading: Loading, files: Sequence[LakeFile]) -> dict[str, dict[str, Runs]]:
    """The records of each file. Those of a file that is loaded whole are in the ledger: its bytes
    never change, so it need not be read.
    """
    found = {}
    for begin in range(0, len(files), LOADS_AT_ONCE):
        some = files[begin : begin + LOADS_AT_ONCE]
        whole = ledger.loaded_whole(loading.connection, loading.table, some)
        loads = of_loads(loading.connection, list(whole.values()))
        for file in some:
            known = loads.get(whole.get(file.location, 0))
            found[file.location] = _read_records(loading, file) if known is None else known
    return found


def _read_records(loading: Loading, file: LakeFile) -> dict[str, Runs]:
    records = Records()
    for batch in loading.reader.batches(file.location, ("source_position",)):
        records.add(batch.column("source_position"))
    return records.runs()


def _gone(
    loads: Iterable[Loads], doubled: Collection[str], lake: dict[str, Runs]
) -> Iterator[tuple[int, dict[str, Runs]]]:
    """Loads with records that the lake has not, or that an earlier load holds as well."""
    earlier: dict[str, Runs] = {}
    for load_id, streams in (load for page in loads for load in page.items()):
        gone = {}
        for stream, runs in streams.items():
            left = without(runs, lake.get(stream, NO_RUNS))
            if stream in doubled:
                kept = without(runs, left)
                twice = without(kept, without(kept, earlier.get(stream, NO_RUNS)))
                left = union([left, twice])
                earlier[stream] = union([earlier.get(stream, NO_RUNS), kept])
            if len(left):
                gone[stream] = left
        if gone:
            yield load_id, gone


def _remove(
    loading: Loading,
    load_id: int,
    gone: dict[str, Runs],
    why: Mapping[str, object],
    outcome: Outcome,
) -> None:
    connection = loading.connection
    with connection.transaction():
        connection.execute("select last from tidelake.load_counter for update")
        ledger.require_epoch(connection, loading.table, loading.epoch)
        rows = aside = 0
        for stream, runs in gone.items():
            rows += _delete_rows(connection, loading.table, load_id, stream, runs)
            aside += _delete_aside(connection, load_id, stream, runs)
            connection.execute(
                "update tidelake.loaded_records set records = records - %s::int8multirange "
                "where load_id = %s and stream = %s",
                (as_multirange(runs), load_id, stream),
            )
        # Rows that retention has dropped, or a hand has deleted, are in the ledger all the same.
        rows = max(rows, sum(map(count, gone.values())) - aside)
        values = {"load_id": load_id, "rows": rows, "set_aside": aside}
        connection.execute(LESS, values)
        removed = outcome.removed + rows + aside
        highest = max(load_id, outcome.highest_load_id or 0)
        told = {**why, "id": outcome.id, "removed": removed, "highest": highest}
        statement = REMOVED if outcome.id is None else MORE_REMOVED
        (number,) = connection.execute(statement, told).fetchone() or (None,)
        crash.point("reconcile.before_removal")
    outcome.removed, outcome.highest_load_id, outcome.id = removed, highest, number


def _delete_rows(connection: Connection, table: str, load_id: int, stream: str, runs: Runs) -> int:
    if not columns_of(connection, table):
        return 0
    query = sql.SQL("delete from {} where load_id = %s and source_position = any(%s)")
    statement = query.format(qualified(table))
    return sum(
        connection.execute(statement, (load_id, positions)).rowcount
        for positions in _positions(stream, runs)
    )


def _delete_aside(connection: Connection, load_id: int, stream: str, runs: Runs) -> int:
    return sum(
        connection.execute(
            "delete from tidelake.set_aside where load_id = %s and source_position = any(%s)",
            (load_id, positions),
        ).rowcount
        for positions in _positions(stream, runs)
    )


def _positions(stream: str, runs: Runs) -> Iterator[list[str]]:
    """The source positions of runs, some thousands at a time."""
    pending: list[str] = []
    for first, last in runs.tolist():
        for number in range(first, last + 1):
            pending.append(f"{stream}/{number}" if number else stream)
            if len(pending) == POSITIONS_AT_ONCE:
                yield pending
                pending = []
    if pending:
        yield pending


def _load_missing(
    loading: Loading,
    file: LakeFile,
    records: dict[str, Runs],
    known: Held,
    state: State,
    outcome: Outcome,
) -> None:
    """Loads those rows of a file whose records no load holds."""
    missing = known.missing(records)
    if not missing:
        return
    loaded = loading.load_part(file, state.sequence_number, _Only(missing))
    if loaded is None:
        return
    outcome.loaded += loaded.rows + loaded.set_aside
    known.add(by_stream([missing]))


@dataclass(frozen=True)
class _Only:
    """The rows of batches whose records are among some."""

    wanted: dict[str, Runs]

    def __call__(self, batch: pa.RecordBatch) -> NDArray[np.bool_]:
        names, streams, numbers = numbers_of(batch.column("source_position"))
        mask = np.zeros(batch.num_rows, np.bool_)
        for code, name in enumerate(names):
            if name in self.wanted:
                mask |= (streams == code) & held(self.wanted[name], numbers)
        return mask


def _finish(loading: Loading, state: State, why: Mapping[str, object], outcome: Outcome) -> None:
    connection = loading.connection
    with connection.transaction():
        connection.execute("select last from tidelake.load_counter for update")
        ledger.require_epoch(connection, loading.table, loading.epoch)
        counts = {"id": outcome.id, "rows": state.rows, "loaded": outcome.loaded}
        values = {**why, **counts}
        (outcome.unexplained,) = connection.execute(DONE, values).fetchone() or (0,)
        Watermarks(connection).register(ledger.CONSUMER, loading.table, state.sequence_number)
        crash.point("reconcile.before_end")
