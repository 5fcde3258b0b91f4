-- Every event is in each table that counts events, on the same day and in the same place.
with counted as (
    select 'events_by_hour' as table_name, cast(hour as date) as day, project, country, sum(events) as events
    from {{ ref('events_by_hour') }}
    group by all
    union all
    select 'engagement_by_type', day, project, country, sum(events)
    from {{ ref('engagement_by_type') }}
    group by all
),

tables as (
    select distinct table_name from counted
),

expected as (
    select tables.table_name, days.day, days.project, days.country, days.events
    from {{ ref('daily_traffic') }} as days
    cross join tables
    where days.events > 0
)

select *
from expected
full join counted using (table_name, day, project, country)
where expected.events is distinct from counted.events
