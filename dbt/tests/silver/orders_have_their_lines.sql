with orders as (
    select * from {{ ref('orders') }} where load_id > {{ var('test_from_load_id') | int }}
)

select
    orders.order_key,
    orders.item_lines,
    lines.item_lines as found_item_lines
from orders
cross join lateral (
    select
        count(*) as item_lines,
        coalesce(sum(order_items.quantity), 0) as items
    from {{ ref('order_items') }} as order_items
    where order_items.order_key = orders.order_key
) as lines
where lines.item_lines <> orders.item_lines or lines.items <> orders.items
