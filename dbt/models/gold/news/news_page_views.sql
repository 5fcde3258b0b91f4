select day, project, country, page_path, count(*) as views
from {{ silver('page_views') }}
where {{ is_news() }} and page_path is not null
group by 1, 2, 3, 4
