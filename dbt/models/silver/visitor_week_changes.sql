{{ config(incremental_strategy='log_changes', meta={'entity': 'visitor_weeks'}) }}

-- What the log holds of this window is in visitor_weeks: the statement writes both.
with visits as (
    select *
    from {{ ref('new_events') }}
    where
        visitor_key is not null
        and not is_bot
        and load_id > (select coalesce(max(load_id), 0) from {{ this }})
),

new_weeks as (
    select distinct
        visitor_key,
        {{ week_of('day') }} as week
    from visits
),

visitors as (
    select distinct visitor_key from visits
),

old_weeks as (
    select visitor_weeks.*
    from visitors
    inner join {{ ref('visitor_weeks') }} as visitor_weeks
        on visitor_weeks.visitor_key = visitors.visitor_key
),

-- Every week of a visitor tells the visitor's first event; the news may bring an earlier one.
first_events as (
    select
        visitor_key,
        project,
        country,
        day as first_day,
        event_time as first_event_at,
        event_key as first_event_key
    from visits
    union all
    select
        visitor_key,
        project,
        country,
        first_day,
        first_event_at,
        first_event_key
    from old_weeks
),

ranked as (
    select
        *,
        {{ week_of('first_day') }} as cohort_week,
        row_number() over (
            partition by visitor_key order by first_event_at, first_event_key
        ) as place
    from first_events
),

cohorts as (
    select * from ranked where place = 1
),

weeks as (
    select visitor_key, week from new_weeks
    union
    select visitor_key, week from old_weeks
),

rows_after as (
    select
        weeks.visitor_key,
        weeks.week,
        cohorts.project,
        cohorts.country,
        cohorts.first_day,
        cohorts.cohort_week,
        (weeks.week - cohorts.cohort_week) / 7 as weeks_after,
        cohorts.first_event_at,
        cohorts.first_event_key
    from weeks
    inner join cohorts on cohorts.visitor_key = weeks.visitor_key
),

-- A week that stays as it was is no news.
compared as (
    select
        rows_after.*,
        old_weeks.visitor_key is not null as existed
    from rows_after
    left join old_weeks
        on old_weeks.visitor_key = rows_after.visitor_key and old_weeks.week = rows_after.week
    where
        old_weeks.visitor_key is null
        or old_weeks.first_event_key <> rows_after.first_event_key
        or old_weeks.first_event_at <> rows_after.first_event_at
),

taken_back as (
    select old_weeks.*
    from compared
    inner join old_weeks
        on old_weeks.visitor_key = compared.visitor_key and old_weeks.week = compared.week
    where compared.existed
),

signed as (
    select
        -1 as sign,
        visitor_key,
        week,
        project,
        country,
        first_day,
        cohort_week,
        weeks_after,
        first_event_at,
        first_event_key
    from taken_back
    union all
    select
        1 as sign,
        visitor_key,
        week,
        project,
        country,
        first_day,
        cohort_week,
        weeks_after,
        first_event_at,
        first_event_key
    from compared
),

changes as (
    select
        *,
        {{ var('to_load_id') | int }} as load_id
    from signed
)

select * from changes
