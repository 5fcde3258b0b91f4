{{ config(incremental_strategy='log_changes', meta={'entity': 'pii_sessions'}) }}

{%- set silence = "interval '30 minutes'" %}
{%- set counts = ['events', 'page_views', 'product_views', 'cart_updates', 'checkouts', 'purchases'] %}
{%- set pieces = [
    'owner', 'is_computed', 'project', 'day', 'country', 'device_type', 'device_key', 'visitor_key',
    'started_at', 'ended_at', 'first_event_key', 'entry_page', 'entry_at', 'entry_event_key', 'exit_page',
    'exit_at', 'exit_event_key', 'referrer_domain', 'referrer_at', 'referrer_event_key', 'campaign_source',
    'campaign_medium', 'campaign_name', 'campaign_at', 'campaign_event_key'
] + counts + ['is_bot'] %}

-- What the log holds of this window is in the sessions: the statement writes both.
with news as (
    select
        *,
        coalesce(session_key, visitor_key) as owner,
        session_key is null as is_computed,
        coalesce(campaign_source, campaign_medium, campaign_name) is not null as has_campaign
    from {{ ref('new_events') }}
    where
        coalesce(session_key, visitor_key) is not null
        and load_id > (select coalesce(max(load_id), 0) from {{ this }})
),

-- An event is the smallest piece of a session; a session that was there is a piece of what it becomes.
event_pieces as (
    select
        owner,
        is_computed,
        project,
        day,
        country,
        coalesce(device_type, 'unknown') as device_type,
        device_key,
        visitor_key,
        event_time as started_at,
        event_time as ended_at,
        event_key as first_event_key,
        page_path as entry_page,
        case when page_path is not null then event_time end as entry_at,
        case when page_path is not null then event_key end as entry_event_key,
        page_path as exit_page,
        case when page_path is not null then event_time end as exit_at,
        case when page_path is not null then event_key end as exit_event_key,
        coalesce(referrer_domain, 'direct') as referrer_domain,
        case when referrer_domain is not null then event_time end as referrer_at,
        case when referrer_domain is not null then event_key end as referrer_event_key,
        coalesce(campaign_source, '') as campaign_source,
        coalesce(campaign_medium, '') as campaign_medium,
        coalesce(campaign_name, '') as campaign_name,
        case when has_campaign then event_time end as campaign_at,
        case when has_campaign then event_key end as campaign_event_key,
        1 as events,
        case when event_type in ('page_view', 'screen_view') then 1 else 0 end as page_views,
        case when event_type = 'product_view' then 1 else 0 end as product_views,
        case when event_type = 'cart_update' then 1 else 0 end as cart_updates,
        case when event_type = 'checkout_start' then 1 else 0 end as checkouts,
        case when event_type = 'purchase' then 1 else 0 end as purchases,
        is_bot
    from news
),

client_sessions as (
    select distinct session_key from news where not is_computed
),

-- News of visitors without sessions, as runs without silence: each looks for the sessions it touches.
silences as (
    select
        visitor_key,
        event_time,
        event_time - lag(event_time) over (
            partition by visitor_key order by event_time
        ) > {{ silence }} as after_silence
    from news
    where is_computed
),

numbered as (
    select
        *,
        sum(case when after_silence then 1 else 0 end) over (
            partition by visitor_key order by event_time rows unbounded preceding
        ) as run
    from silences
),

runs as (
    select
        visitor_key,
        min(event_time) - {{ silence }} as reaches_from,
        max(event_time) + {{ silence }} as reaches_to
    from numbered
    group by visitor_key, run
),

-- Sessions of a visitor do not overlap, so of those that began before only the last can reach a run.
-- The limits keep the look-ups what they are: one by one, in an index.
touched_by_runs as (
    select within.session_key
    from runs
    cross join lateral (
        select sessions.session_key
        from {{ ref('pii_sessions') }} as sessions
        where
            sessions.visitor_key = runs.visitor_key
            and sessions.started_at between runs.reaches_from and runs.reaches_to
            and sessions.is_computed
        limit 1000000
    ) as within
    union
    select before.session_key
    from runs
    cross join lateral (
        select
            sessions.session_key,
            sessions.ended_at
        from {{ ref('pii_sessions') }} as sessions
        where
            sessions.visitor_key = runs.visitor_key
            and sessions.started_at < runs.reaches_from
            and sessions.is_computed
        order by sessions.started_at desc
        limit 1
    ) as before
    where before.ended_at >= runs.reaches_from
),

touched_keys as (
    select session_key from client_sessions
    union all
    select session_key from touched_by_runs
),

touched as (
    select before.*
    from touched_keys
    cross join lateral (
        select *
        from {{ ref('pii_sessions') }} as sessions
        where sessions.session_key = touched_keys.session_key
        limit 1
    ) as before
),

session_pieces as (
    select
        case when is_computed then visitor_key else session_key end as owner,
        *
    from touched
),

pieces as (
    select
        {{ pieces | join(',\n        ') }}
    from event_pieces
    union all
    select
        {{ pieces | join(',\n        ') }}
    from session_pieces
),

-- A computed session ends where the next piece of its visitor begins after more silence.
reached as (
    select
        *,
        max(ended_at) over (
            partition by owner, is_computed
            order by started_at, first_event_key
            rows between unbounded preceding and 1 preceding
        ) as reached_at
    from pieces
),

placed as (
    select
        *,
        sum(case when is_computed and started_at > reached_at + {{ silence }} then 1 else 0 end) over (
            partition by owner, is_computed
            order by started_at, first_event_key
            rows unbounded preceding
        ) as place
    from reached
),

ranked as (
    select
        *,
        row_number() over (
            partition by owner, is_computed, place order by started_at, first_event_key
        ) as rank_first,
        row_number() over (
            partition by owner, is_computed, place
            order by entry_at nulls last, entry_event_key
        ) as rank_entry,
        row_number() over (
            partition by owner, is_computed, place
            order by exit_at desc nulls last, exit_event_key desc
        ) as rank_exit,
        row_number() over (
            partition by owner, is_computed, place
            order by referrer_at nulls last, referrer_event_key
        ) as rank_referrer,
        row_number() over (
            partition by owner, is_computed, place
            order by campaign_at nulls last, campaign_event_key
        ) as rank_campaign
    from placed
),

{%- set taken_from = {
    'first': ['project', 'day', 'country', 'device_type', 'device_key', 'visitor_key', 'started_at', 'first_event_key'],
    'entry': ['entry_page', 'entry_at', 'entry_event_key'],
    'exit': ['exit_page', 'exit_at', 'exit_event_key'],
    'referrer': ['referrer_domain', 'referrer_at', 'referrer_event_key'],
    'campaign': ['campaign_source', 'campaign_medium', 'campaign_name', 'campaign_at', 'campaign_event_key']
} %}

-- One pass over the pieces: joins of their first, last and so on would be planned for a handful of rows.
merged as (
    select
        owner,
        is_computed,
        {%- for rank, taken in taken_from.items() %}
        {%- for column in taken %}
        {{ value_where(column, 'rank_' ~ rank ~ ' = 1') }} as {{ column }},
        {%- endfor %}
        {%- endfor %}
        max(ended_at) as ended_at,
        {%- for count in counts %}
        sum({{ count }}) as {{ count }},
        {%- endfor %}
        bool_or(is_bot) as is_bot
    from ranked
    group by owner, is_computed, place
),

masking as (
    select * from {{ source('masking', 'masking_key') }} limit 1
),

sessions as (
    select
        *,
        case
            when is_computed then {{ keyed_hash([
                'project', "'gap'", 'cast(visitor_key as text)', "encode(first_event_key, 'hex')"
            ]) }}
            else owner
        end as session_key,
        extract(epoch from ended_at - started_at) as duration_s
    from merged
    cross join masking
),

{%- set columns = [
    'session_key', 'project', 'day', 'country', 'device_type', 'device_key', 'visitor_key', 'is_computed',
    'started_at', 'ended_at', 'duration_s', 'first_event_key', 'entry_page', 'entry_at', 'entry_event_key',
    'exit_page', 'exit_at', 'exit_event_key', 'referrer_domain', 'referrer_at', 'referrer_event_key',
    'campaign_source', 'campaign_medium', 'campaign_name', 'campaign_at', 'campaign_event_key'
] + counts + ['is_bot'] %}

signed as (
    select
        -1 as sign,
        load_id as since_load_id,
        {{ columns | join(',\n        ') }}
    from touched
    union all
    select
        1 as sign,
        null as since_load_id,
        {{ columns | join(',\n        ') }}
    from sessions
),

changes as (
    select
        *,
        {{ var('to_load_id') | int }} as load_id
    from signed
)

select * from changes
