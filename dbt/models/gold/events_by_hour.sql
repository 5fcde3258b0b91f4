with summed as (
    select hour, project, country, sum(events) as events
    from {{ ref('news_events') }}
    group by hour, project, country
)

select * from summed
