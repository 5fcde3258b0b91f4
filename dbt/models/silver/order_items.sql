{{ config(indexes=[{'columns': ['load_id']}]) }}

with purchases as (
    select
        *,
        {{ order_key() }} as order_key
    from {{ ref('new_events') }}
    where event_type = 'purchase'
),

-- Only the purchase that became the order has lines: a second one with the same order id has none.
ordered as (
    select purchases.*
    from purchases
    cross join lateral (
        select
            orders.event_day,
            orders.event_key
        from {{ ref('orders') }} as orders
        where orders.order_key = purchases.order_key
        limit 1
    ) as orders
    where orders.event_day = purchases.event_day and orders.event_key = purchases.event_key
),

order_items as (
    select
        ordered.*,
        lines.*,
        coalesce(ordered.order_currency, 'unknown') as currency,
        lines.price * lines.quantity as revenue
    from ordered
    cross join lateral (
        {{ lines_of('ordered.items') | indent(8) }}
    ) as lines
)

select * from order_items
