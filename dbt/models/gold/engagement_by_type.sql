{%- set engagement %}
select
    day,
    project,
    country,
    event_type,
    sum(scroll_depth) as scroll_depth_sum,
    count(scroll_depth) as scroll_depth_count,
    sum(time_on_page) as time_on_page_s,
    count(time_on_page) as time_on_page_count,
    sum(interactions)::bigint as interactions,
    sum(form_submissions)::bigint as form_submissions,
    sum(video_views)::bigint as video_views,
    sum(downloads)::bigint as downloads
from {{ silver('engagement') }}
where {{ is_news() }}
group by 1, 2, 3, 4
{% endset %}

with events as (
    select day, project, country, event_type, sum(events) as events
    from {{ ref('news_events') }}
    group by day, project, country, event_type
),

figures as (
    select * from {{ from_postgres(engagement) }}
),

-- An event has its figures from the start, so news of figures are news of events too.
joined as (
    select
        events.day,
        events.project,
        events.country,
        events.event_type,
        events.events,
        figures.scroll_depth_sum,
        figures.scroll_depth_count,
        figures.time_on_page_s,
        figures.time_on_page_count,
        figures.interactions,
        figures.form_submissions,
        figures.video_views,
        figures.downloads
    from events
    left join figures
        on events.day = figures.day
        and events.project = figures.project
        and events.country = figures.country
        and events.event_type = figures.event_type
)

select * from joined
