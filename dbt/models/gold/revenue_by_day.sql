{%- set money %}
select
    day,
    project,
    country,
    coalesce(nullif(currency, ''), 'unknown') as currency,
    count(*) as orders,
    sum(total) as revenue,
    sum(shipping) as shipping,
    sum(tax) as tax,
    sum(discount) as discount,
    sum(items)::bigint as items,
    0::bigint as refunds,
    0::double precision as refunded
from {{ silver('orders') }}
where {{ is_news() }}
group by 1, 2, 3, 4
union all
select
    day,
    project,
    country,
    coalesce(nullif(currency, ''), 'unknown'),
    0,
    0,
    0,
    0,
    0,
    0,
    count(*),
    sum(refunded)
from {{ silver('refunds') }}
where {{ is_news() }}
group by 1, 2, 3, 4
{% endset %}

with news as (
    select * from {{ from_postgres(money) }}
),

summed as (
    select
        day,
        project,
        country,
        currency,
        sum(orders) as orders,
        sum(revenue) as revenue,
        sum(shipping) as shipping,
        sum(tax) as tax,
        sum(discount) as discount,
        sum(items) as items,
        sum(refunds) as refunds,
        sum(refunded) as refunded
    from news
    group by day, project, country, currency
)

select * from summed
