select *
from {{ ref('daily_traffic') }}
where new_visitors > visitors or bot_events > events or page_views > events
