"""What has been loaded: one row a file, the records in it, and sums of all.

Everything here joins the transaction of the connection that it is given: a load's row, its rows in
raw and the sums are there together or not at all.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from psycopg import sql

from tidelake.errors import FencedError
from tidelake.warehouse.raw.records import Runs, as_multirange
from tidelake.warehouse.raw.tables import columns_of, qualified
from tidelake.warehouse.session import Connection

CONSUMER = "raw"

NEXT = "update tidelake.load_counter set last = last + 1 returning last"

# A statement after the one that locked the counter, so that it sees what committed while it waited.
CLAIM = """
insert into tidelake.loads (load_id, table_name, file_path, sequence_number, load_day)
select %(load_id)s, %(table)s, %(path)s, %(sequence)s, %(day)s
from tidelake.load_totals
where table_name = %(table)s and epoch = %(epoch)s
on conflict (table_name, file_path) do nothing
returning load_id
"""

COUNTED = """
with counted as (
    update tidelake.loads
    set rows = %(rows)s, set_aside = %(set_aside)s, loaded_at = clock_timestamp()
    where load_id = %(load_id)s
    returning table_name
)

update tidelake.load_totals as totals
set
    files = totals.files + 1,
    rows = totals.rows + %(rows)s,
    set_aside = totals.set_aside + %(set_aside)s,
    last_load_id = %(load_id)s
from counted
where totals.table_name = counted.table_name
"""

HOLDS = "insert into tidelake.loaded_records (load_id, stream, records) values (%s, %s, %s)"

KNOWN = """
select file_path from tidelake.loads
where table_name = %s and file_path = any(%s)
"""

WHOLE = """
select file_path, rows + set_aside, load_id from tidelake.loads
where table_name = %s and file_path = any(%s) and rows + set_aside > 0
"""

NEWEST = "select coalesce(max(sequence_number), 0) from tidelake.loads where table_name = %s"

TOTALS = """
select
    totals.table_name, totals.rows, totals.set_aside, totals.files, totals.last_load_id,
    totals.unexplained, totals.epoch, totals.unnamed_up_to, consumers.sequence_number
from tidelake.load_totals as totals
left join tidelake.consumers
    on consumers.table_name = totals.table_name and consumers.consumer = 'raw'
order by totals.table_name
"""


class SizedFile(Protocol):
    """A file of the lake and its rows."""

    @property
    def location(self) -> str: ...

    @property
    def rows(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Totals:
    """What the ledger says of one table. `watermark` is None while nothing was ever loaded."""

    rows: int = 0  # in raw, those that retention dropped included
    set_aside: int = 0
    files: int = 0
    last_load_id: int = 0
    unexplained: int = 0  # rows that the lake has beyond these, and no reconcile could tell which
    epoch: int = 0  # grows with every reconcile
    unnamed_up_to: int = 0  # sequence number up to which loads may have lost their files' names
    watermark: int | None = None  # sequence number; all files at or below it are loaded

    @property
    def accounted(self) -> int:
        """Rows that the lake must hold, once everything is loaded."""
        return self.rows + self.set_aside + self.unexplained


def totals(connection: Connection) -> dict[str, Totals]:
    """The sums of both tables, by name; costs nothing that grows."""
    return {name: Totals(*row) for name, *row in connection.execute(TOTALS).fetchall()}


@dataclass(frozen=True, slots=True)
class Standing:
    """The ledger of one table at one moment."""

    totals: Totals
    loaded: frozenset[str]  # those of the files that were asked for
    newest: int  # highest sequence number of a file that was loaded


def standing(connection: Connection, table: str, paths: Collection[str]) -> Standing:
    """Sums, and which of the files are loaded, of one moment: another loader may be at work."""
    with connection.transaction():
        connection.execute("set transaction isolation level repeatable read")
        newest = connection.execute(NEWEST, (table,)).fetchone() or (0,)
        found = frozenset(known(connection, table, paths))
        return Standing(totals(connection)[table], found, int(newest[0]))


@dataclass(frozen=True, slots=True)
class Wrong:
    """A load whose rows in raw are not as many as the ledger says."""

    table: str
    load_id: int
    file_path: str
    expected: int
    found: int


def count_rows(connection: Connection) -> tuple[dict[str, int], list[Wrong]]:
    """Counts raw for real: rows by table, and every load that has not what the ledger says.

    Loads that retention dropped have none and need none. Reads all of both indexes on load_id.
    """
    counted: dict[str, int] = {}
    wrong: list[Wrong] = []
    for table in totals(connection):
        found = _rows_by_load(connection, table)
        counted[table] = sum(found.values())
        wrong += _unlike(connection, table, found)
    return counted, wrong


def _rows_by_load(connection: Connection, table: str) -> dict[int, int]:
    if not columns_of(connection, table):
        return {}
    query = sql.SQL("select load_id, count(*) from {} group by load_id")
    return dict(connection.execute(query.format(qualified(table))).fetchall())


def _unlike(connection: Connection, table: str, found: dict[int, int]) -> list[Wrong]:
    rows = connection.execute(
        "select load_id, file_path, case when dropped_at is null then rows else 0 end "
        "from tidelake.loads where table_name = %s order by load_id",
        (table,),
    ).fetchall()
    wrong = [
        Wrong(table, load_id, path, expected, found.get(load_id, 0))
        for load_id, path, expected in rows
        if expected != found.get(load_id, 0)
    ]
    unknown = found.keys() - {load_id for load_id, *_ in rows}
    return wrong + [Wrong(table, load_id, "", 0, found[load_id]) for load_id in sorted(unknown)]


def claim(
    connection: Connection, table: str, path: str, sequence: int, day: date, epoch: int
) -> int | None:
    """The load id of a file that nobody has loaded; None where somebody has.

    Waits for whoever is loading it, or any other file: load ids come in the order of commits.
    Raises FencedError where a reconcile has begun since `epoch` was read.
    """
    (load_id,) = connection.execute(NEXT).fetchone() or (0,)
    values = {"load_id": load_id, "table": table, "path": path, "sequence": sequence, "day": day}
    if connection.execute(CLAIM, values | {"epoch": epoch}).fetchone():
        return int(load_id)
    require_epoch(connection, table, epoch)
    return None


def require_epoch(connection: Connection, table: str, epoch: int) -> None:
    """Raises FencedError unless this is still the epoch; the counter must be locked by now."""
    row = connection.execute(
        "select epoch from tidelake.load_totals where table_name = %s", (table,)
    ).fetchone()
    if row != (epoch,):
        raise FencedError(
            f"raw.{table} was compared with the lake by another loader meanwhile",
            hint="Nothing is lost: the next look starts from what it left.",
        )


def record(
    connection: Connection, load_id: int, rows: int, set_aside: int, holds: Mapping[str, Runs]
) -> None:
    """Writes down what a load has brought, and adds it to the sums."""
    values = {"load_id": load_id, "rows": rows, "set_aside": set_aside}
    connection.execute(COUNTED, values)
    for stream, runs in holds.items():
        connection.execute(HOLDS, (load_id, stream.replace("\0", ""), as_multirange(runs)))


def known(connection: Connection, table: str, paths: Collection[str]) -> set[str]:
    """Those of the files that are loaded."""
    if not paths:
        return set()
    return {path for (path,) in connection.execute(KNOWN, (table, list(paths))).fetchall()}


def loaded_whole(connection: Connection, table: str, files: Iterable[SizedFile]) -> dict[str, int]:
    """The loads of those of the files that are loaded, and still hold all of their rows."""
    wanted = {file.location: file.rows for file in files}
    found = connection.execute(WHOLE, (table, list(wanted))).fetchall()
    return {path: load_id for path, rows, load_id in found if rows == wanted[path]}


def free_name(connection: Connection, table: str, path: str, sequence: int) -> str:
    """A name that no load has, for what is loaded of a file beside what was loaded of it before."""
    name, number = path, 0
    while known(connection, table, [name]):
        name = f"{path}#{sequence}" + (f".{number}" if number else "")
        number += 1
    return name
