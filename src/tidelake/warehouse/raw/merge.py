"""Loads of days that retention has dropped, put together: a ledger of years stays short.

Nobody asks any more which file brought a row that raw does not hold. What is still asked, which
records are loaded and how many rows they were, is the same of many loads as of one. The files go
without names then: one that is met again, unlikely as that is, is told by its records, by the full
comparison that `tidelake.load_totals.unnamed_up_to` leads to.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from tidelake.warehouse.session import Connection

#: Rows of a load that was put together: as many as a cycle of silver takes, should they come back.
ROWS = 200_000
LOADS = 2000  # of one transaction

# Rows that were set aside stay with the load of their file.
GROUPS = """
with old as (
    select
        load_id,
        load_day,
        div(sum(rows) over in_order - 1, %(rows)s) as part,
        div(row_number() over in_order - 1, %(loads)s) as share
    from tidelake.loads
    where
        table_name = %(table)s
        and dropped_at is not null
        and loaded_at < %(before)s
        and set_aside = 0
        and not exists (
            select from tidelake.set_aside where set_aside.load_id = loads.load_id
        )
    window in_order as (partition by load_day order by load_id)
)

select load_day, array_agg(load_id order by load_id)
from old
group by load_day, part, share
having count(*) > 1
order by load_day, part, share
"""

UNITE = """
with runs as (
    select stream, run
    from tidelake.loaded_records
    cross join lateral unnest(records) as runs (run)
    where load_id = any(%(loads)s)
),

united as (
    select stream, range_agg(run) as records, sum(upper(run) - lower(run)) as numbers
    from runs
    group by stream
)

select
    stream,
    records::text,
    numbers = (select sum(upper(run) - lower(run)) from unnest(records) as runs (run))
from united
order by stream
"""

INTO_ONE = """
with gone as (
    delete from tidelake.loads
    where load_id = any(%(loads)s) and load_id <> %(load_id)s
    returning rows, sequence_number
),

summed as (
    select sum(rows) as rows, max(sequence_number) as sequence_number from gone
)

update tidelake.loads
set
    rows = loads.rows + summed.rows,
    sequence_number = greatest(loads.sequence_number, summed.sequence_number),
    file_path = %(name)s
from summed
where load_id = %(load_id)s
returning loads.sequence_number
"""

# Whoever decided what to load, or to remove, by what the ledger was before looks again.
UNNAMED = """
update tidelake.load_totals
set unnamed_up_to = greatest(unnamed_up_to, %(sequence_number)s), epoch = epoch + 1
where table_name = %(table)s
"""


def merge_dropped(connection: Connection, table: str, before: datetime) -> int:
    """Puts together loads of before then whose rows retention has dropped; gives how many.

    Each that comes of it has about 200,000 rows of one day of load, and the highest load id.
    The sums of the ledger and the records in it stay what they were.
    """
    values = {"table": table, "before": before, "rows": ROWS, "loads": LOADS}
    found = connection.execute(GROUPS, values).fetchall()
    return sum(_merge(connection, table, day, load_ids) for day, load_ids in found)


def _merge(connection: Connection, table: str, day: date, load_ids: Sequence[int]) -> int:
    with connection.transaction():
        connection.execute("select last from tidelake.load_counter for update")
        united = connection.execute(UNITE, {"loads": load_ids}).fetchall()
        if not all(apart for _, _, apart in united):
            return 0  # two of them hold one record, which a comparison with the lake has to see
        connection.execute(
            "delete from tidelake.loaded_records where load_id = any(%s)", (load_ids,)
        )
        last = load_ids[-1]
        name = f"{len(load_ids)} loads of {day}, {load_ids[0]} to {last}"
        merged = {"loads": load_ids, "load_id": last, "name": name}
        (sequence_number,) = connection.execute(INTO_ONE, merged).fetchone() or (0,)
        for stream, records, _ in united:
            connection.execute(
                "insert into tidelake.loaded_records values (%s, %s, %s::int8multirange)",
                (last, stream, records),
            )
        connection.execute(UNNAMED, {"table": table, "sequence_number": sequence_number})
    return len(load_ids)
