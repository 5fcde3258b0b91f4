"""The logs of changes of silver, kept as short as what they tell of.

A session that grew with every window is a pair of rows for each in `silver.session_changes`: as it
was, taken back, and as it is. Whoever adds up the log from its beginning gets the same without a
row and the one that takes it back, and so does whoever has both already. Only gold that stands
between the two needs them, which `Windows.is_end` refuses to go on from.
"""

from __future__ import annotations

from collections.abc import Collection

from tidelake.warehouse.session import Connection, Session

#: Each log with the key of what it tells of; a row is of one load, key and sign.
LOGS = {"session_changes": ("session_key",), "visitor_week_changes": ("visitor_key", "week")}

# A silver of before has logs that do not say it, until its next window adds the column.
SAYS_SINCE = """
select count(*) = %(logs)s
from pg_attribute
where
    attrelid in (select to_regclass('silver.' || log) from unnest(%(names)s::text[]) as log)
    and attname = 'since_load_id' and not attisdropped
"""

# Up to where every version that gold may be gone on from stands: those whose files are kept.
TAKEN = """
select min(to_load_id)
from tidelake.publications
where
    version = any(%s)
    and generation = (
        select generation from tidelake.windows where status = 'done'
        order by to_load_id desc limit 1
    )
"""

# As many windows as a cycle takes of raw, one at least.
BATCH = """
with done as (
    select coalesce(max(to_load_id), 0) as load_id from tidelake.windows where compacted
),

ahead as (
    select to_load_id, sum(coalesce(raw_rows, 0)) over (order by to_load_id) as rows_so_far
    from tidelake.windows
    where
        status = 'done'
        and to_load_id > (select load_id from done)
        and to_load_id <= %(taken)s
)

select
    (select load_id from done),
    coalesce(max(to_load_id) filter (where rows_so_far <= %(rows)s), min(to_load_id))
from ahead
"""

# By the place of the rows, which nobody changes; the limit keeps each look-up one in the index.
PAIRS = """
with pairs as materialized (
    select
        taken_back.ctid as taken_back,
        held.ctid as held
    from silver.{log} as taken_back
    cross join lateral (
        select log.ctid
        from silver.{log} as log
        where log.load_id = taken_back.since_load_id and log.sign = 1 and {same_key}
        limit 1
    ) as held
    where
        taken_back.load_id > %(from_load_id)s and taken_back.load_id <= %(to_load_id)s
        and taken_back.sign = -1
)

delete from silver.{log}
where ctid = any(array(
    select taken_back from pairs
    union all
    select held from pairs
))
"""

MARK = """
update tidelake.windows set compacted = true
where to_load_id > %(from_load_id)s and to_load_id <= %(to_load_id)s
"""


class ChangeLogs:
    """Both logs. `target` is a URL, or a connection whose transaction it joins.

    Raises UnavailableError when the database does not answer.
    """

    def __init__(self, target: str | Connection) -> None:
        self._session = Session(target)

    def compact(self, versions: Collection[int], rows: int) -> int | None:
        """Removes rows that take each other back, of windows with about `rows` raw rows.

        Of those that every gold of `versions`, whose files are there, has taken. Gives how many
        rows went; None where no such window is left.
        """
        return self._session.run(lambda connection: _compact(connection, versions, rows))

    def close(self) -> None:
        """Close the connection, if this object opened it."""
        self._session.close()


def _compact(connection: Connection, versions: Collection[int], rows: int) -> int | None:
    known = connection.execute(SAYS_SINCE, {"logs": len(LOGS), "names": list(LOGS)}).fetchone()
    if known != (True,):
        return None
    (taken,) = connection.execute(TAKEN, (list(versions),)).fetchone() or (None,)
    bounds = connection.execute(BATCH, {"taken": taken, "rows": rows}).fetchone()
    if bounds is None or bounds[1] is None:
        return None
    values = dict(zip(("from_load_id", "to_load_id"), bounds, strict=True))
    gone = 0
    for log, key in LOGS.items():
        same_key = " and ".join(f"log.{column} = taken_back.{column}" for column in key)
        statement = PAIRS.format(log=log, same_key=same_key).encode()
        gone += connection.execute(statement, values).rowcount
    connection.execute(MARK, values)
    return gone
