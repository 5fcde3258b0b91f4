{{ config(severity='warn') }}

-- What clients say: a sum of lines that is not the subtotal, nor the subtotal before the discount.
with orders as (
    select * from {{ ref('orders') }} where load_id > {{ var('test_from_load_id') | int }}
),

compared as (
    select
        orders.order_key,
        orders.subtotal,
        orders.discount,
        lines.revenue
    from orders
    cross join lateral (
        select
            sum(order_items.revenue) as revenue,
            count(*) as lines,
            count(order_items.revenue) as priced
        from {{ ref('order_items') }} as order_items
        where order_items.order_key = orders.order_key
    ) as lines
    where orders.subtotal is not null and lines.lines > 0 and lines.lines = lines.priced
)

select *
from compared
where
    abs(revenue - subtotal) > 0.01
    and abs(revenue - coalesce(discount, 0) - subtotal) > 0.01
