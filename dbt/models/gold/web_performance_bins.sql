with loads as (
    select * from {{ ref('news_web_performance') }}
),

figures as (
    select day, project, country, page_group, 'page_load_time' as metric, page_load_time as ms
    from loads
    union all
    select day, project, country, page_group, 'first_contentful_paint', first_contentful_paint
    from loads
    union all
    select day, project, country, page_group, 'dom_interactive', dom_interactive
    from loads
    union all
    select day, project, country, page_group, 'network_latency', network_latency
    from loads
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
    from figures
    where ms >= 0
    group by day, project, country, page_group, metric, {{ bin_of('ms') }}
)

select * from summed
