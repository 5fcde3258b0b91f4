{{ config(materialized='replaced') }}

{#- An hour may still have grown after it was written down, and so may the one before it, whose last
    commits reach the ledger late. Nothing before them is read again. -#}
{%- set since = newest_hour() -%}

{%- set hours %}
with commits as (
    select
        date_trunc('hour', committed_at, 'UTC') as hour,
        table_name,
        count(*) as commits,
        sum(files) as files,
        sum(records) as records,
        sum(bytes) as bytes,
        sum(raw_bytes) as raw_bytes
    from tidelake.commits
    where committed_at >= {{ since }}
    group by 1, 2
),

loads as (
    select
        date_trunc('hour', loaded_at, 'UTC') as hour,
        table_name,
        count(*) as loads,
        sum(rows) as loaded_rows,
        sum(set_aside) as set_aside
    from tidelake.loads
    where loaded_at >= {{ since }}
    group by 1, 2
),

-- A window takes the loads of both tables; it is written down with the larger one.
windows as (
    select
        date_trunc('hour', started_at, 'UTC') as hour,
        'events' as table_name,
        count(*) as windows,
        count(*) filter (where status = 'failed') as failed_windows,
        sum(extract(epoch from finished_at - started_at)) as window_s
    from tidelake.windows
    where started_at >= {{ since }}
    group by 1, 2
)

select
    hour,
    table_name,
    coalesce(commits, 0) as commits,
    coalesce(files, 0)::bigint as files,
    coalesce(records, 0)::bigint as records,
    coalesce(bytes, 0)::bigint as bytes,
    coalesce(raw_bytes, 0)::bigint as raw_bytes,
    coalesce(loads, 0) as loads,
    coalesce(loaded_rows, 0)::bigint as loaded_rows,
    coalesce(set_aside, 0)::bigint as set_aside,
    coalesce(windows, 0) as windows,
    coalesce(failed_windows, 0) as failed_windows,
    coalesce(window_s, 0)::double precision as window_s
from commits
full join loads using (hour, table_name)
full join windows using (hour, table_name)
{% endset %}

with news as (
    select * from {{ from_postgres(hours) }}
),
{% if goes_on() %}
before as (
    select *
    from {{ this }}
    where hour < {{ since }} and hour >= {{ published_at() }} - interval '30 days'
),

hours as (
    select * from before
    union all
    select * from news
)
{%- else %}
hours as (
    select * from news
)
{%- endif %}

select * from hours
