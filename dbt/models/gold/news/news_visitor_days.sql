select day, project, country, count(*) as visitors
from {{ silver('visitor_days') }}
where {{ is_news() }}
group by 1, 2, 3
