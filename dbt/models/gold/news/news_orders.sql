select
    day,
    project,
    country,
    currency,
    count(*) as orders,
    coalesce(sum(total), 0) as revenue,
    coalesce(sum(shipping), 0) as shipping,
    coalesce(sum(tax), 0) as tax,
    coalesce(sum(discount), 0) as discount,
    sum(items)::bigint as items
from {{ silver('orders') }}
where {{ is_news() }}
group by 1, 2, 3, 4
