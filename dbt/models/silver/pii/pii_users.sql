{{ config(alias='users', incremental_strategy='upsert') }}

with users_before as (
    select * from {{ this }}
),

-- A load that is in a user's row does not come into it again.
news as (
    select new_events.*
    from {{ ref('new_events') }} as new_events
    left join users_before on users_before.user_key = new_events.user_key
    where
        new_events.user_key is not null
        and new_events.load_id > coalesce(users_before.load_id, 0)
),

touched as (
    select distinct user_key from news
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
        case when event_type <> 'group_identify' and traits is not null then event_key end as traits_event_key
    from news
    union all
    select
        users_before.user_key,
        users_before.project,
        users_before.user_id,
        users_before.first_seen_at,
        users_before.last_seen_at,
        users_before.events,
        users_before.country,
        users_before.country_at,
        users_before.country_event_key,
        users_before.traits,
        users_before.traits_at,
        users_before.traits_event_key
    from touched
    inner join users_before on users_before.user_key = touched.user_key
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
    from pieces
),

countries as (select * from ranked where rank_country = 1),

traits as (select * from ranked where rank_traits = 1),

sums as (
    select
        user_key,
        min(first_seen_at) as first_seen_at,
        max(last_seen_at) as last_seen_at,
        sum(events) as events
    from ranked
    group by user_key
),

users as (
    select
        sums.user_key,
        countries.project,
        countries.user_id,
        sums.first_seen_at,
        sums.last_seen_at,
        sums.events,
        countries.country,
        countries.country_at,
        countries.country_event_key,
        traits.traits,
        traits.traits_at,
        traits.traits_event_key,
        {{ var('to_load_id') | int }} as load_id
    from sums
    inner join countries on countries.user_key = sums.user_key
    inner join traits on traits.user_key = sums.user_key
)

select * from users
