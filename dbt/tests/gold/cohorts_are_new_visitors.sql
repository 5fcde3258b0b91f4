-- The visitors of a cohort are the new visitors of its seven days, and no more of them come back.
with cohorts as (
    select project, country, cohort_week, visitors
    from {{ ref('retention') }}
    where weeks_after = 0
),

new_visitors as (
    select
        project,
        country,
        cast(date_trunc('week', day) as date) as cohort_week,
        sum(new_visitors) as visitors
    from {{ ref('daily_traffic') }}
    group by all
    having sum(new_visitors) > 0
),

back as (
    select project, country, cohort_week, max(visitors) as visitors
    from {{ ref('retention') }}
    group by all
)

select *
from cohorts
full join new_visitors using (project, country, cohort_week)
full join back using (project, country, cohort_week)
where
    cohorts.visitors is distinct from new_visitors.visitors
    or cohorts.visitors is distinct from back.visitors
