select
    day,
    project,
    country,
    coalesce(nullif(page_group, ''), '(none)') as page_group,
    page_load_time,
    first_contentful_paint,
    dom_interactive,
    network_latency
from {{ silver('web_performance') }}
where {{ is_news() }} and not is_bot
