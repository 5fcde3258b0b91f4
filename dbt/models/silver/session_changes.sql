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
        referrer_domain,
        case when referrer_domain is not null then event_time end as referrer_at,
        case when referrer_domain is not null then event_key end as referrer_event_key,
        campaign_source,
        campaign_medium,
        campaign_name,
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
touched_keys as (
    select session_key from client_sessions
    union
    select began_within.session_key
    from runs
    inner join {{ ref('pii_sessions') }} as began_within
        on
            began_within.visitor_key = runs.visitor_key
            and began_within.started_at between runs.reaches_from and runs.reaches_to
    where began_within.is_computed
    union
    select began_before.session_key
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
    ) as began_before
    where began_before.ended_at >= runs.reaches_from
),

touched as (
    select sessions.*
    from touched_keys
    inner join {{ ref('pii_sessions') }} as sessions
        on sessions.session_key = touched_keys.session_key
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

firsts as (select * from ranked where rank_first = 1),

entries as (select * from ranked where rank_entry = 1),

exits as (select * from ranked where rank_exit = 1),

referrers as (select * from ranked where rank_referrer = 1),

campaigns as (select * from ranked where rank_campaign = 1),

sums as (
    select
        owner,
        is_computed,
        place,
        max(ended_at) as ended_at,
        {%- for count in counts %}
        sum({{ count }}) as {{ count }},
        {%- endfor %}
        bool_or(is_bot) as is_bot
    from ranked
    group by owner, is_computed, place
),

masking as (
    select * from {{ source('masking', 'masking_key') }}
),

merged as (
    select
        case
            when firsts.is_computed then {{ keyed_hash([
                'firsts.project', "'gap'", 'cast(firsts.visitor_key as text)',
                "encode(firsts.first_event_key, 'hex')"
            ]) }}
            else firsts.owner
        end as session_key,
        firsts.project,
        firsts.day,
        firsts.country,
        firsts.device_type,
        firsts.device_key,
        firsts.visitor_key,
        firsts.is_computed,
        firsts.started_at,
        sums.ended_at,
        extract(epoch from sums.ended_at - firsts.started_at) as duration_s,
        firsts.first_event_key,
        entries.entry_page,
        entries.entry_at,
        entries.entry_event_key,
        exits.exit_page,
        exits.exit_at,
        exits.exit_event_key,
        case when referrers.referrer_at is null then 'direct' else referrers.referrer_domain end as referrer_domain,
        referrers.referrer_at,
        referrers.referrer_event_key,
        coalesce(campaigns.campaign_source, '') as campaign_source,
        coalesce(campaigns.campaign_medium, '') as campaign_medium,
        coalesce(campaigns.campaign_name, '') as campaign_name,
        campaigns.campaign_at,
        campaigns.campaign_event_key,
        {%- for count in counts %}
        sums.{{ count }},
        {%- endfor %}
        sums.is_bot
    from sums
    inner join firsts using (owner, is_computed, place)
    inner join entries using (owner, is_computed, place)
    inner join exits using (owner, is_computed, place)
    inner join referrers using (owner, is_computed, place)
    inner join campaigns using (owner, is_computed, place)
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
        {{ columns | join(',\n        ') }}
    from touched
    union all
    select
        1 as sign,
        {{ columns | join(',\n        ') }}
    from merged
),

changes as (
    select
        *,
        {{ var('to_load_id') | int }} as load_id
    from signed
)

select * from changes
