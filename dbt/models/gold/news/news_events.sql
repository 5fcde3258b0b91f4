-- Counted where they lie: thousands of events share hour, country and type.
{%- set events %}
select
    day,
    date_trunc('hour', event_time at time zone {{ report_zone() }}) as hour,
    received_day,
    project,
    country,
    event_type,
    case when is_unknown_type then event_name end as unknown_name,
    is_bot,
    is_late,
    is_unknown_type,
    array(select distinct split_part(flag, ':', 1) from unnest(quality_flags) as flag) as flags,
    count(*) as events
from {{ silver('events') }}
where {{ is_news() }}
group by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
{% endset %}
select * from {{ from_postgres(events) }}
