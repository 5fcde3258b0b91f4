{%- set visitors %}
select day, project, country, count(*) as visitors
from {{ silver('visitor_days') }}
where {{ is_news() }}
group by 1, 2, 3
{% endset %}

with events as (
    select
        day,
        project,
        country,
        sum(events) as events,
        sum(case when event_type in ('page_view', 'screen_view') then events else 0 end) as page_views,
        sum(case when is_bot then events else 0 end) as bot_events
    from {{ ref('news_events') }}
    group by day, project, country
),

visitors as (
    select * from {{ from_postgres(visitors) }}
),

new_visitors as (
    select first_day as day, project, country, visitors as new_visitors
    from {{ ref('news_visitor_weeks') }}
    where weeks_after = 0
),

news as (
    select day, project, country, events, page_views, 0 as visitors, 0 as new_visitors, bot_events
    from events
    union all
    select day, project, country, 0, 0, visitors, 0, 0
    from visitors
    union all
    select day, project, country, 0, 0, 0, new_visitors, 0
    from new_visitors
),

summed as (
    select
        day,
        project,
        country,
        sum(events) as events,
        sum(page_views) as page_views,
        sum(visitors) as visitors,
        sum(new_visitors) as new_visitors,
        sum(bot_events) as bot_events
    from news
    group by day, project, country
)

select * from summed
