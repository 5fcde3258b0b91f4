{%- set not_taken %}
select received_day, project, 'repeat' as kind, '' as name, sum(repeats)::bigint as records
from {{ silver('repeats') }}
where {{ is_news() }}
group by 1, 2
union all
select received_day, project, 'rejected', reason, sum(records)::bigint
from {{ silver('rejected_events') }}
where {{ is_news() }}
group by 1, 2, 4
{% endset %}

with events as (
    select * from {{ ref('news_events') }}
),

flags as (
    select received_day, project, unnest(flags) as flag, events
    from events
),

news as (
    select received_day as day, project, 'accepted' as kind, '' as name, events as records
    from events
    union all
    select received_day, project, 'late', '', events
    from events
    where is_late
    union all
    select received_day, project, 'bot', '', events
    from events
    where is_bot
    union all
    select received_day, project, 'unknown_type', '', events
    from events
    where is_unknown_type
    union all
    select received_day, project, 'flag', flag, events
    from flags
    union all
    select * from {{ from_postgres(not_taken) }}
),

summed as (
    select day, project, kind, name, sum(records) as records
    from news
    group by day, project, kind, name
)

select * from summed
