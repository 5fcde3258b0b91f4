-- A session enters on one page at most, and leaves from one if it entered on one.
with pages as (
    select day, project, country, sum(entries) as entries, sum(exits) as exits
    from {{ ref('top_pages') }}
    group by day, project, country
),

sessions as (
    select day, project, country, sum(sessions) as sessions
    from {{ ref('sessions_by_day') }}
    group by day, project, country
)

select *
from pages
left join sessions using (day, project, country)
where pages.entries <> pages.exits or pages.entries > coalesce(sessions.sessions, 0)
