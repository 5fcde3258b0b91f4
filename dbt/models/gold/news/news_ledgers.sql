-- What the loader holds in all, and what it and silver wrote down for the window, each in its ledger.
select totals.*, loads.*, windows.*
from (
    select
        sum(rows + set_aside) filter (where table_name = 'events')::bigint as events_taken,
        sum(unexplained) filter (where table_name = 'events')::bigint as events_missed,
        sum(rows + set_aside) filter (where table_name = 'rejected_events')::bigint as rejected_taken,
        sum(unexplained) filter (where table_name = 'rejected_events')::bigint as rejected_missed
    from tidelake.load_totals
) as totals
cross join (
    select
        coalesce(sum(rows) filter (where table_name = 'events'), 0)::bigint as event_rows,
        coalesce(sum(rows) filter (where table_name = 'rejected_events'), 0)::bigint as rejected_rows
    from tidelake.loads
    where {{ is_news() }}
) as loads
cross join (
    select
        coalesce(sum(raw_rows), 0)::bigint as raw_rows,
        coalesce(sum(new_events), 0)::bigint as new_events,
        coalesce(sum(repeats), 0)::bigint as repeats,
        coalesce(sum(rejected), 0)::bigint as rejected
    from tidelake.windows
    where {{ is_news('to_load_id') }} and status = 'done'
) as windows
