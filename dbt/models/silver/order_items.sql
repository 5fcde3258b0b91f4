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
    inner join {{ ref('orders') }} as orders
        on orders.order_key = purchases.order_key
    where orders.event_day = purchases.event_day and orders.event_key = purchases.event_key
),

lines as (
    {{ lines_of('ordered') | indent(4) }}
),

order_items as (
    select
        *,
        coalesce(order_currency, 'unknown') as currency,
        price * quantity as revenue
    from lines
)

select * from order_items
