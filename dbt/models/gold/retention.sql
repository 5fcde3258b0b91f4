with summed as (
    select project, country, cohort_week, weeks_after, sum(visitors) as visitors
    from {{ ref('news_visitor_weeks') }}
    group by project, country, cohort_week, weeks_after
)

select * from summed
