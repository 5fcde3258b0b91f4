{{ config(materialized='replaced') }}

{#- What one layer handed on, against what the next one got. The ledgers' sides grow by the news of
    the window, so that no ledger is read twice; gold's own side is counted anew each time. -#}
{%- set ledgers %}
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
{% endset %}

with ledgers as (
    select * from {{ from_postgres(ledgers) }}
),

before as (
    {%- if goes_on() %}
    select layer, measure, expected, found from {{ this }}
    {%- else %}
    select '' as layer, '' as measure, 0 as expected, 0 as found
    {%- endif %}
),

counted as (
    select
        (select sum(events) from {{ ref('daily_traffic') }}) as events,
        (select sum(records) from {{ ref('data_quality') }} where kind = 'repeat') as repeats
),

-- What the lake holds is known from the loader, which compares it with its ledger at every look.
news as (
    select
        'raw' as layer,
        'events' as measure,
        cast(null as bigint) as expected_news,
        cast(null as bigint) as found_news,
        events_taken + events_missed as expected_now,
        events_taken as found_now
    from ledgers
    union all
    select 'raw', 'rejected events', null, null, rejected_taken + rejected_missed, rejected_taken
    from ledgers
    union all
    select 'silver', 'rows of events', event_rows, raw_rows, null, null
    from ledgers
    union all
    select 'silver', 'new events and repeats', raw_rows, new_events + repeats, null, null
    from ledgers
    union all
    select 'silver', 'rejected events', rejected_rows, rejected, null, null
    from ledgers
    union all
    select 'gold', 'events', ledgers.new_events, null, null, coalesce(counted.events, 0)
    from ledgers
    cross join counted
    union all
    select 'gold', 'repeats', ledgers.repeats, null, null, coalesce(counted.repeats, 0)
    from ledgers
    cross join counted
),

totals as (
    select
        news.layer,
        news.measure,
        coalesce(news.expected_now, coalesce(before.expected, 0) + news.expected_news) as expected,
        coalesce(news.found_now, coalesce(before.found, 0) + news.found_news) as found
    from news
    left join before
        on news.layer = before.layer
        and news.measure = before.measure
),

books as (
    select
        layer,
        measure,
        cast(expected as bigint) as expected,
        cast(found as bigint) as found,
        cast(found - expected as bigint) as difference,
        {{ published_at() }} as as_of
    from totals
)

select * from books
