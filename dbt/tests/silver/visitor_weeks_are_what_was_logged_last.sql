with logged as (
    select
        *,
        row_number() over (partition by visitor_key, week order by load_id desc, sign desc) as place
    from {{ ref('visitor_week_changes') }}
    where load_id > {{ var('test_from_load_id') | int }}
),

last_logged as (
    select * from logged where place = 1
),

compared as (
    select
        last_logged.*,
        weeks.load_id as weeks_load_id,
        weeks.first_day as weeks_first_day
    from last_logged
    left join lateral (
        select *
        from {{ ref('visitor_weeks') }} as visitor_weeks
        where visitor_weeks.visitor_key = last_logged.visitor_key and visitor_weeks.week = last_logged.week
        limit 1
    ) as weeks on true
)

select *
from compared
where
    sign = -1
    or weeks_load_id is distinct from load_id
    or weeks_first_day is distinct from first_day
