{{ config(incremental_strategy='log_changes', meta={'entity': 'visitor_weeks'}) }}

{%- set first_event = ['project', 'country', 'first_day', 'first_event_at', 'first_event_key'] %}

-- What the log holds of this window is in visitor_weeks: the statement writes both.
with visits as (
    select *
    from {{ ref('new_events') }}
    where
        visitor_key is not null
        and not is_bot
        and load_id > (select coalesce(max(load_id), 0) from {{ this }})
),

visitors as (
    select distinct visitor_key from visits
),

old_weeks as (
    select before.*
    from visitors
    cross join lateral (
        select *
        from {{ ref('visitor_weeks') }} as visitor_weeks
        where visitor_weeks.visitor_key = visitors.visitor_key
        limit 1000000
    ) as before
),

-- An event tells a week, and a first event; so does a week that was there.
told as (
    select
        visitor_key,
        {{ week_of('day') }} as week,
        false as is_old,
        null as told_load_id,
        project,
        country,
        day as first_day,
        event_time as first_event_at,
        event_key as first_event_key
    from visits
    union all
    select
        visitor_key,
        week,
        true as is_old,
        load_id as told_load_id,
        project,
        country,
        first_day,
        first_event_at,
        first_event_key
    from old_weeks
),

-- All weeks of a visitor hold what is now known as the visitor's first event.
compared as (
    select
        visitor_key,
        week,
        is_old,
        told_load_id,
        bool_or(is_old) over (partition by visitor_key, week) as was_there,
        {%- for column in first_event %}
        {{ column }} as told_{{ column }},
        first_value({{ column }}) over first_event as {{ column }}{{ ',' if not loop.last }}
        {%- endfor %}
    from told
    window first_event as (partition by visitor_key order by first_event_at, first_event_key)
),

taken_back as (
    select *
    from compared
    where
        is_old
        and (told_first_event_at <> first_event_at or told_first_event_key <> first_event_key)
),

added as (
    select distinct
        visitor_key,
        week,
        {{ first_event | join(',\n        ') }}
    from compared
    where not was_there
    union all
    select
        visitor_key,
        week,
        {{ first_event | join(',\n        ') }}
    from taken_back
),

signed as (
    select
        -1 as sign,
        told_load_id as since_load_id,
        visitor_key,
        week,
        {%- for column in first_event %}
        told_{{ column }} as {{ column }}{{ ',' if not loop.last }}
        {%- endfor %}
    from taken_back
    union all
    select
        1 as sign,
        null as since_load_id,
        visitor_key,
        week,
        {{ first_event | join(',\n        ') }}
    from added
),

changes as (
    select
        *,
        {{ week_of('first_day') }} as cohort_week,
        (week - {{ week_of('first_day') }}) / 7 as weeks_after,
        {{ var('to_load_id') | int }} as load_id
    from signed
)

select * from changes
