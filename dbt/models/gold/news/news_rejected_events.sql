select received_day, project, reason, sum(records)::bigint as records
from {{ silver('rejected_events') }}
where {{ is_news() }}
group by 1, 2, 3
