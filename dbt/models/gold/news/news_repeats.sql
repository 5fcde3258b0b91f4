select received_day, project, sum(repeats)::bigint as repeats
from {{ silver('repeats') }}
where {{ is_news() }}
group by 1, 2
