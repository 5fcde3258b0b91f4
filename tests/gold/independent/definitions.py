"""What an event, a visitor, a session and an order are: SQL over `events`, over all of history.

Nothing here is incremental and nothing is shared with the models that are checked: each text is a
list of CTEs that begins at the lake's own table. The parameter `$timezone` is the zone of the
report day. Readings of words that leave more than one:

- *Arrival order* is `received_at`, then stream and number of the record (`source_position` is
  `stream/number`, and numbers are compared as numbers). Of the copies of an `event_key` the first
  in arrival order is the event. The models go by the order of loading, which is the order of
  commits, files and rows; `compare.load_order_differs` counts where that would choose another row.
- An empty text is no value: '' as country, session id, page path, referrer, campaign, query,
  order id, currency or product is read as null.
- Silence of a visitor is between events without a session id of the client; those that have one
  belong to their session and end no silence. Exactly 30 minutes still go on.
- A campaign is source, medium and name of one event: the first that has any of the three.
- The referrer of a session is that of its first event which came from elsewhere: with a
  `session_info_referrer` or `page_referrer` whose host is not that of the page itself.
- A session reached a step of the funnel that it has an event of, and all steps before that one: who
  buys has been at the checkout, whether a client tells of it or not.
"""

from __future__ import annotations

SILENCE_US = 30 * 60 * 1_000_000
LATE_US = 60 * 60 * 1_000_000

ARRIVALS = """
arrivals as (
    select
        *,
        regexp_replace(source_position, '/[^/]*$', '') as stream,
        cast(regexp_extract(source_position, '[^/]*$') as bigint) as number,
        coalesce(project, 'default') as project_name,
        row_number() over (
            partition by event_key order by received_at, stream, number
        ) as copy
    from events
)
"""

# Scheme, then user, host and port as in RFC 3986; a text without a host is no URL.
HOST = r"^[a-z][a-z0-9+.-]*://(?:[^/?#@]*@)?([^/?#:@]+)"


def _host(url: str) -> str:
    """The host of a URL without www.; '' where there is none."""
    return f"regexp_replace(regexp_extract(lower({url}), '{HOST}', 1), '^www\\.', '')"


# `visitor` is null for an event of nobody, e.g. a row of a database.
EACH_EVENT = f"""
{ARRIVALS},
each_event as (
    select
        event_key,
        event_time,
        received_at,
        stream,
        number,
        timezone($timezone, event_time) as local_time,
        cast(local_time as date) as day,
        cast(timezone($timezone, received_at) as date) as received_day,
        project_name as project,
        coalesce(nullif(location_country, ''), 'unknown') as country,
        coalesce(nullif(user_agent_device_type, ''), 'unknown') as device_type,
        case
            when user_id is not null then concat_ws(chr(31), project_name, 'user', user_id)
            when anonymous_id is not null
                then concat_ws(chr(31), project_name, 'anonymous', anonymous_id)
        end as visitor,
        nullif(session_info_session_id, '') as session_id,
        event_type,
        event_name,
        event_type in ('page_view', 'screen_view') as is_page_view,
        quality_flags,
        list_contains(quality_flags, 'bot')
            or coalesce(user_agent_device_type = 'bot', false) as is_bot,
        epoch_us(received_at) - epoch_us(event_time) > {LATE_US} as is_late,
        list_contains(quality_flags, 'unknown_type') as is_unknown_type,
        nullif(page_path, '') as path,
        coalesce(nullif(session_info_referrer, ''), nullif(page_referrer, '')) as stated_referrer,
        case
            when regexp_matches(lower(stated_referrer), '{HOST}')
                then {_host("stated_referrer")}
            else lower(stated_referrer)
        end as from_host,
        case when from_host is distinct from {_host("page_url")} then from_host end as referrer,
        nullif(campaign_source, '') as source,
        nullif(campaign_medium, '') as medium,
        nullif(campaign_name, '') as campaign,
        nullif(search_query, '') as query,
        nullif(order_id, '') as order_id,
        coalesce(nullif(order_currency, ''), 'unknown') as currency,
        order_total, order_shipping, order_tax, order_discount, items,
        engagement_scroll_depth as scroll_depth,
        engagement_time_on_page as time_on_page,
        engagement_interactions as interactions,
        engagement_form_submissions as form_submissions,
        engagement_video_views as video_views,
        engagement_downloads as downloads,
        performance_page_load_time as page_load_time,
        performance_first_contentful_paint as first_contentful_paint,
        performance_dom_interactive as dom_interactive,
        performance_network_latency as network_latency
    from arrivals
    where copy = 1
)
"""

# Events of people, and the first of each person.
VISITS = f"""
{EACH_EVENT},
visits as (
    select * from each_event where not is_bot and visitor is not null
),
first_visits as (
    select
        visitor,
        project,
        first(day order by event_time, event_key) as day,
        first(country order by event_time, event_key) as country
    from visits
    group by visitor, project
)
"""

EACH_SESSION = f"""
{EACH_EVENT},
named as (
    select *, concat_ws(chr(31), project, 'session', session_id) as session
    from each_event
    where session_id is not null
),
silences as (
    select
        *,
        epoch_us(event_time) - lag(epoch_us(event_time)) over (
            partition by visitor order by event_time, event_key
        ) as silence_us
    from each_event
    where session_id is null and visitor is not null
),
nameless as (
    select
        * exclude (silence_us),
        concat_ws(chr(31), visitor, 'gap', sum(if(silence_us <= {SILENCE_US}, 0, 1)) over (
            partition by visitor order by event_time, event_key
        )) as session
    from silences
),
session_events as (
    select * from named
    union all
    select * from nameless
),
gathered as (
    select
        session,
        project,
        first(day order by event_time, event_key) as day,
        first(country order by event_time, event_key) as country,
        first(device_type order by event_time, event_key) as device_type,
        first(path order by event_time, event_key) filter (path is not null) as entry_page,
        last(path order by event_time, event_key) filter (path is not null) as exit_page,
        first(referrer order by event_time, event_key)
            filter (referrer is not null) as referrer,
        first(
            [coalesce(source, ''), coalesce(medium, ''), coalesce(campaign, '')]
            order by event_time, event_key
        ) filter (coalesce(source, medium, campaign) is not null) as utm,
        (epoch_us(max(event_time)) - epoch_us(min(event_time))) / 1e6 as duration_s,
        count(*) as events,
        count(*) filter (is_page_view) as page_views,
        count(*) filter (event_type = 'product_view') as product_views,
        count(*) filter (event_type = 'cart_update') as cart_updates,
        count(*) filter (event_type = 'checkout_start') as checkouts,
        count(*) filter (event_type = 'purchase') as purchases,
        bool_or(is_bot) as is_bot
    from session_events
    group by session, project
),
each_session as (
    select
        * exclude (referrer, utm),
        coalesce(referrer, 'direct') as referrer,
        coalesce(utm[1], '') as campaign_source,
        coalesce(utm[2], '') as campaign_medium,
        coalesce(utm[3], '') as campaign_name,
        -- One event; or less than two page views and nothing else, which is one event again.
        events = 1 or (page_views < 2 and page_views = events) as is_bounce,
        purchases > 0 as is_converted
    from gathered
)
"""

# The purchase received first is the order; one without an order id is an order of its own.
EACH_ORDER = f"""
{EACH_EVENT},
purchases as (
    select
        *,
        coalesce('id ' || order_id, 'event ' || hex(event_key)) as order_key,
        row_number() over (
            partition by project, order_key order by received_at, stream, number
        ) as copy
    from each_event
    where event_type = 'purchase'
),
each_order as (
    select * from purchases where copy = 1
),
order_lines as (
    select
        day, project, country, currency, order_key,
        coalesce(nullif(item.product_id, ''), 'unknown') as product_id,
        coalesce(nullif(item.name, ''), 'unknown') as product_name,
        coalesce(nullif(item.category, ''), 'unknown') as category,
        item.price,
        item.quantity
    from each_order, unnest(from_json(items, '[{{
        "product_id": "VARCHAR", "name": "VARCHAR", "category": "VARCHAR",
        "price": "DOUBLE", "quantity": "BIGINT"
    }}]')) as line (item)
)
"""
