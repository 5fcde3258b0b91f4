with summed as (
    select day, project, unknown_name as event_name, sum(events) as events
    from {{ ref('news_events') }}
    where is_unknown_type
    group by day, project, unknown_name
)

select * from summed
