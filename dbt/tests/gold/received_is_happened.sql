-- data_quality counts by the day of reception what other tables count by the day of the event.
with happened as (
    select project, 'accepted' as kind, sum(events) as records
    from {{ ref('daily_traffic') }}
    group by project
    union all
    select project, 'bot', sum(bot_events)
    from {{ ref('daily_traffic') }}
    group by project
    union all
    select project, 'unknown_type', sum(events)
    from {{ ref('unknown_types') }}
    group by project
),

received as (
    select project, kind, sum(records) as records
    from {{ ref('data_quality') }}
    where kind in ('accepted', 'bot', 'unknown_type')
    group by project, kind
)

select *
from happened
full join received using (project, kind)
where coalesce(happened.records, 0) <> coalesce(received.records, 0)
