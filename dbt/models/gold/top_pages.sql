{%- set views %}
select
    day,
    project,
    country,
    page_path,
    count(*) as views,
    sum(time_on_page) as time_on_page_s,
    count(time_on_page) as time_on_page_count
from {{ silver('page_views') }}
where {{ is_news() }} and page_path <> ''
group by 1, 2, 3, 4
{% endset %}

with news as (
    select
        day,
        project,
        country,
        page_path,
        views,
        time_on_page_s,
        time_on_page_count,
        0 as entries,
        0 as exits
    from {{ from_postgres(views) }}
    union all
    select day, project, country, entry_page, 0, 0, 0, sign, 0
    from {{ ref('news_sessions') }}
    where not is_bot and entry_page is not null
    union all
    select day, project, country, exit_page, 0, 0, 0, 0, sign
    from {{ ref('news_sessions') }}
    where not is_bot and exit_page is not null
),

summed as (
    select
        day,
        project,
        country,
        page_path,
        sum(views) as views,
        sum(time_on_page_s) as time_on_page_s,
        sum(time_on_page_count) as time_on_page_count,
        sum(entries) as entries,
        sum(exits) as exits
    from news
    group by day, project, country, page_path
)

select * from summed
