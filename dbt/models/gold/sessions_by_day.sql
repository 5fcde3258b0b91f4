with sessions as (
    select *, case when is_bot then 0 else sign end as people_sign
    from {{ ref('news_sessions') }}
),

summed as (
    select
        day,
        project,
        country,
        device_type,
        sum(people_sign) as sessions,
        sum(sign - people_sign) as bot_sessions,
        sum(case when {{ is_bounce() }} then people_sign else 0 end) as bounces,
        sum(people_sign * page_views) as page_views,
        sum(people_sign * events) as events,
        sum(people_sign * duration_s) as duration_s,
        sum(case when purchases > 0 then people_sign else 0 end) as converted
    from sessions
    group by day, project, country, device_type
)

select * from summed
