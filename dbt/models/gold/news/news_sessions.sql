-- A session that grew is two rows: what it was with sign -1, what it is now with sign 1.
{%- set sessions %}
select
    sign,
    day,
    project,
    country,
    coalesce(nullif(device_type, ''), 'unknown') as device_type,
    nullif(entry_page, '') as entry_page,
    nullif(exit_page, '') as exit_page,
    referrer_domain as referrer,
    campaign_source,
    campaign_medium,
    campaign_name,
    duration_s,
    events,
    page_views,
    product_views,
    cart_updates,
    checkouts,
    purchases,
    is_bot
from {{ silver('session_changes') }}
where {{ is_news() }}
{% endset %}
select * from {{ from_postgres(sessions) }}
