{{ config(
    schema="silver_pii",
    alias="events",
    incremental_strategy="insert_ignore",
    indexes=[{"columns": ["event_key"], "unique": true}, {"columns": ["load_id"]}],
) }}

select distinct on (event_key)
    event_key, load_id, (event_time at time zone '{{ var("timezone") }}')::date as day
from tiny.events
where {{ is_news() }}
order by event_key, load_id
