with news as (
    select
        day,
        project,
        country,
        currency,
        orders,
        revenue,
        shipping,
        tax,
        discount,
        items,
        0 as refunds,
        0 as refunded
    from {{ ref('news_orders') }}
    union all
    select day, project, country, currency, 0, 0, 0, 0, 0, 0, refunds, refunded
    from {{ ref('news_refunds') }}
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
