{{ config(incremental_strategy="delete+insert", unique_key="load_id") }}

with made as (
    select count(*) as events from {{ ref("pii_events") }} where {{ is_news() }}
),

loaded as (
    select count(*) as events, count(tiny.obey(command)) as obeyed from tiny.events where {{ is_news() }}
)

select {{ var("to_load_id") | int }}::bigint as load_id, loaded.events - made.events as repeats
from loaded, made
