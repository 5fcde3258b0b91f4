{{ config(
    incremental_strategy='take_window',
    unlogged=true,
    meta={'entity': 'pii_events'}
) }}

{%- set device = [
    'metadata_browser', 'metadata_os', 'metadata_device', 'user_agent_browser_version',
    'user_agent_platform_version', 'user_agent_device_type', 'user_agent_screen_resolution',
    'user_agent_language', 'user_agent_timezone'
] %}
{%- set location = [
    'location_country', 'location_region', 'location_city', 'location_isp', 'location_connection_type'
] %}

with raw_events as (
    select
        *,
        coalesce(project, 'default') as known_project,
        nullif(session_info_session_id, '') as session_id,
        coalesce(nullif(trim(session_info_referrer), ''), nullif(trim(page_referrer), '')) as referrer,
        row_number() over (
            partition by event_day, event_key order by load_id, row_number
        ) as copy
    from {{ source('raw', 'events') }}
    where {{ in_window() }}
),

masking as (
    select * from {{ source('masking', 'masking_key') }} limit 1
),

-- Rows of the window itself do not count as known: when it runs again it finds the same news.
known_events as (
    select event_day, event_key
    from {{ ref('pii_events') }}
    where load_id <= {{ var('from_load_id') | int }}
),

new_rows as (
    select *
    from raw_events
    where
        copy = 1
        and not exists (
            select 1
            from known_events
            where
                known_events.event_day = raw_events.event_day
                and known_events.event_key = raw_events.event_key
        )
),

keyed as (
    select
        new_rows.*,
        {{ keyed_hash(['known_project', "'user'", 'user_id']) }} as user_key,
        {{ keyed_hash(['known_project', "'anonymous'", 'anonymous_id']) }} as anonymous_key,
        {{ keyed_hash(['known_project', "'session'", 'session_id']) }} as session_key,
        case when coalesce({{ device | join(', ') }}) is not null
            then {{ hashed(or_empty(device)) }}
        end as device_key,
        case when coalesce({{ location | join(', ') }}) is not null
            then {{ keyed_hash(or_empty(location)) }}
        end as location_key
    from new_rows
    cross join masking
),

new_events as (
    select
        event_day,
        event_key,
        load_id,
        row_number,
        event_id,
        event_time,
        received_at,
        {{ report_day('event_time') }} as day,
        {{ report_day('received_at') }} as received_day,
        known_project as project,
        -- A key must fit into an index, whatever a client calls a country.
        left(coalesce(nullif(location_country, ''), 'unknown'), 100) as country,
        source,
        format,
        source_position,
        event_type,
        event_name,
        user_id,
        anonymous_id,
        previous_id,
        group_id,
        session_id,
        user_key,
        anonymous_key,
        coalesce(user_key, anonymous_key) as visitor_key,
        session_key,
        device_key,
        location_key,
        location_ip_address as ip_address,
        page_url,
        nullif(page_path, '') as page_path,
        page_title,
        case when page_path like '/%' then '/' || split_part(page_path, '/', 2) else nullif(page_path, '') end as page_group,
        -- A page of the site itself is not where somebody came from.
        nullif({{ host_of('referrer') }}, {{ host_of('page_url') }}) as referrer_domain,
        nullif(campaign_source, '') as campaign_source,
        nullif(campaign_medium, '') as campaign_medium,
        nullif(campaign_name, '') as campaign_name,
        metadata_browser as browser,
        metadata_os as os,
        metadata_device as device,
        user_agent_browser_version as browser_version,
        user_agent_platform_version as platform_version,
        nullif(user_agent_device_type, '') as device_type,
        user_agent_screen_resolution as screen_resolution,
        user_agent_language as language,
        user_agent_timezone as timezone,
        location_country,
        location_region as region,
        location_city as city,
        location_isp as isp,
        location_connection_type as connection_type,
        {{ amount('engagement_scroll_depth') }} as scroll_depth,
        {{ amount('engagement_time_on_page') }} as time_on_page,
        {{ count_of('engagement_interactions') }} as interactions,
        {{ count_of('engagement_form_submissions') }} as form_submissions,
        {{ count_of('engagement_video_views') }} as video_views,
        {{ count_of('engagement_downloads') }} as downloads,
        {{ amount('performance_page_load_time') }} as page_load_time,
        {{ amount('performance_first_contentful_paint') }} as first_contentful_paint,
        {{ amount('performance_dom_interactive') }} as dom_interactive,
        {{ amount('performance_network_latency') }} as network_latency,
        order_id,
        {{ amount('order_total') }} as order_total,
        {{ amount('order_subtotal') }} as order_subtotal,
        {{ amount('order_shipping') }} as order_shipping,
        {{ amount('order_tax') }} as order_tax,
        {{ amount('order_discount') }} as order_discount,
        order_coupon,
        nullif(order_currency, '') as order_currency,
        nullif(search_query, '') as search_query,
        items,
        traits,
        'bot' = any(quality_flags) or coalesce(user_agent_device_type = 'bot', false) as is_bot,
        received_at - event_time > interval '1 hour' as is_late,
        'unknown_type' = any(quality_flags) as is_unknown_type,
        quality_flags
    from keyed
)

select * from new_events
