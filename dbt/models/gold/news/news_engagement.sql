select
    day,
    project,
    country,
    event_type,
    coalesce(sum(scroll_depth), 0) as scroll_depth_sum,
    count(scroll_depth) as scroll_depth_count,
    coalesce(sum(time_on_page), 0) as time_on_page_s,
    count(time_on_page) as time_on_page_count,
    coalesce(sum(interactions), 0)::bigint as interactions,
    coalesce(sum(form_submissions), 0)::bigint as form_submissions,
    coalesce(sum(video_views), 0)::bigint as video_views,
    coalesce(sum(downloads), 0)::bigint as downloads
from {{ silver('engagement') }}
where {{ is_news() }}
group by 1, 2, 3, 4
