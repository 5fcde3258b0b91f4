"""How long events took from arrival until a published gold showed them."""

from __future__ import annotations

from tidelake.warehouse.session import Connection

# A row is seen in gold with the first version that stands at its load or beyond it.
LATENCY = """
with shown as (
    select
        load_id,
        (
            select min(published_at) from tidelake.publications
            where to_load_id >= loads.load_id
        ) as at
    from tidelake.loads as loads
    where table_name = 'events' and loaded_at >= to_timestamp(%(from)s)
)

select percentile_disc(array[0.5, 0.99]) within group (
    order by extract(epoch from shown.at - events.received_at)::double precision
)
from raw.events as events
inner join shown using (load_id)
where events.received_at between to_timestamp(%(from)s) and to_timestamp(%(to)s)
"""


def gold_latency(connection: Connection, began: float, ended: float) -> dict[str, float]:
    """Seconds, `p50` and `p99`, of the events that arrived from `began` to `ended` (epoch seconds).

    Empty where no such event is in gold. A request is answered after its events arrived, so no
    sender waited longer from its 2xx on.
    """
    found = connection.execute(LATENCY, {"from": began, "to": ended}).fetchall()[0][0]
    return dict(zip(("p50", "p99"), (round(s, 3) for s in found or ()), strict=False))
