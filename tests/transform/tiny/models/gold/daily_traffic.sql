{{ config(materialized="incremental", incremental_strategy="append") }}

-- Adds up: a window that is taken twice counts twice.
select * from postgres_query(
    'pg',
    'select day, count(*) as events from silver_pii.events where {{ is_news() }} group by day'
)
where 1 / (case when '{{ var("timezone") }}' = 'Asia/Tokyo' then 0 else 1 end) >= 0
