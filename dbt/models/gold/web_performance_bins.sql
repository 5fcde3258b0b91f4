{%- set figures %}
select
    day,
    project,
    country,
    coalesce(nullif(page_group, ''), '(none)') as page_group,
    page_load_time,
    first_contentful_paint,
    dom_interactive,
    network_latency
from {{ silver('web_performance') }}
where {{ is_news() }} and not is_bot
{% endset %}

with pages as (
    select * from {{ from_postgres(figures) }}
),

samples as (
    select day, project, country, page_group, 'page_load_time' as metric, page_load_time as ms
    from pages
    union all
    select day, project, country, page_group, 'first_contentful_paint', first_contentful_paint
    from pages
    union all
    select day, project, country, page_group, 'dom_interactive', dom_interactive
    from pages
    union all
    select day, project, country, page_group, 'network_latency', network_latency
    from pages
),

summed as (
    select
        day,
        project,
        country,
        page_group,
        metric,
        {{ bin_of('ms') }} as bin,
        count(*) as samples
    from samples
    where ms >= 0
    group by day, project, country, page_group, metric, {{ bin_of('ms') }}
)

select * from summed
