"""Whether the order of loading could choose another row than the order of arrival.

The queries take the first copy of an event, and the first purchase of an order, as they arrived;
the models as they were loaded: in the order of commits, paths of files, rows. Copies of one commit
may lie in files whose names, being random, sort the other way round. Where nothing is chosen
otherwise, both orders give the same tables.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
from tests.gold.independent.definitions import ARRIVALS

from tidelake.event.contract import EVENTS
from tidelake.lake.tables import load_table

if TYPE_CHECKING:
    import duckdb
    from pyiceberg.catalog import Catalog

LOADED = f"""
with {ARRIVALS},
orders as (
    select key, source_position, received_at, stream, number
    from (
        select 'event ' || hex(event_key) as key, * from arrivals
        union all
        select concat_ws(' ', 'order', project_name, order_id) as key, *
        from arrivals
        where event_type = 'purchase' and copy = 1 and order_id != ''
    )
),
numbered as (
    select
        key,
        row_number() over (
            partition by key order by received_at, stream, number
        ) as arrived,
        row_number() over (
            partition by key order by sequence_number, filename, file_row_number
        ) as loaded
    from orders join loads using (source_position)
)
select key from numbered where arrived = 1 and loaded > 1 order by key
"""


def chosen_otherwise(catalog: Catalog, lake: duckdb.DuckDBPyConnection) -> list[str]:
    """Events and orders of whose copies another would be first if loading decided.

    The files must be those that were committed: care makes others of them.
    """
    entries = load_table(catalog, EVENTS.table).inspect.entries()
    files = [
        entry["file_path"].removeprefix("file://") for entry in entries["data_file"].to_pylist()
    ]
    sequence = entries["sequence_number"]
    lake.register("committed", pa.table({"filename": files, "sequence_number": sequence}))
    lake.execute(
        """
        create or replace temp table loads as
        select source_position, filename, file_row_number, sequence_number
        from read_parquet(?, filename = true, file_row_number = true)
        join committed using (filename)
        """,
        [files],
    )
    assert lake.sql("from loads").shape[0] == lake.sql("from events").shape[0]
    return [key for (key,) in lake.execute(LOADED).fetchall()]
