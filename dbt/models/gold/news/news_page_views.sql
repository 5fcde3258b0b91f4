select
    day,
    project,
    country,
    page_path,
    count(*) as views,
    coalesce(sum(time_on_page), 0) as time_on_page_s,
    count(time_on_page) as time_on_page_count
from {{ silver('page_views') }}
where {{ is_news() }} and page_path <> ''
group by 1, 2, 3, 4
