select
    day,
    project,
    country,
    currency,
    count(*) as refunds,
    coalesce(sum(refunded), 0) as refunded
from {{ silver('refunds') }}
where {{ is_news() }}
group by 1, 2, 3, 4
