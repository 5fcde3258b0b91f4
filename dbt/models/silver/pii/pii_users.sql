{{ config(alias='users', incremental_strategy='upsert') }}

with new_events as (
    select * from {{ ref('new_events') }} where user_key is not null
),

touched_keys as (
    select distinct user_key from new_events
),

touched as (
    select before.*
    from touched_keys
    cross join lateral (
        select * from {{ this }} as users where users.user_key = touched_keys.user_key limit 1
    ) as before
),

-- An event is the smallest piece of a user; the row that was there is a piece of what it becomes.
pieces as (
    select
        user_key,
        project,
        user_id,
        event_time as first_seen_at,
        event_time as last_seen_at,
        1 as events,
        country,
        case when country <> 'unknown' then event_time end as country_at,
        case when country <> 'unknown' then event_key end as country_event_key,
        case when event_type <> 'group_identify' then traits end as traits,
        case when event_type <> 'group_identify' and traits is not null then event_time end as traits_at,
        case when event_type <> 'group_identify' and traits is not null then event_key end as traits_event_key,
        load_id,
        false as is_old
    from new_events
    union all
    select
        user_key,
        project,
        user_id,
        first_seen_at,
        last_seen_at,
        events,
        country,
        country_at,
        country_event_key,
        traits,
        traits_at,
        traits_event_key,
        load_id,
        true as is_old
    from touched
),

-- A load that is in a user's row does not come into it again.
dated as (
    select
        *,
        max(case when is_old then load_id else 0 end) over (partition by user_key) as applied_load_id
    from pieces
),

wanted as (
    select * from dated where is_old or load_id > applied_load_id
),

ranked as (
    select
        *,
        row_number() over (
            partition by user_key order by country_at desc nulls last, country_event_key desc
        ) as rank_country,
        row_number() over (
            partition by user_key order by traits_at desc nulls last, traits_event_key desc
        ) as rank_traits
    from wanted
),

users as (
    select
        user_key,
        {{ value_where('project', 'rank_country = 1') }} as project,
        {{ value_where('user_id', 'rank_country = 1') }} as user_id,
        min(first_seen_at) as first_seen_at,
        max(last_seen_at) as last_seen_at,
        sum(events) as events,
        {{ value_where('country', 'rank_country = 1') }} as country,
        {{ value_where('country_at', 'rank_country = 1') }} as country_at,
        {{ value_where('country_event_key', 'rank_country = 1') }} as country_event_key,
        {{ value_where('traits', 'rank_traits = 1') }} as traits,
        {{ value_where('traits_at', 'rank_traits = 1') }} as traits_at,
        {{ value_where('traits_event_key', 'rank_traits = 1') }} as traits_event_key,
        {{ var('to_load_id') | int }} as load_id
    from ranked
    group by user_key
)

select * from users
