{{ config(indexes=[{'columns': ['load_id']}]) }}

with purchases as (
    select
        *,
        {{ order_key() }} as order_key
    from {{ ref('new_events') }}
    where event_type = 'purchase'
),

ranked as (
    select
        *,
        row_number() over (partition by order_key order by received_at, event_key) as copy
    from purchases
),

firsts as (
    select * from ranked where copy = 1
),

lines as (
    {{ lines_of('firsts') | indent(4) }}
),

items as (
    select
        order_key,
        count(*) as item_lines,
        sum(quantity) as items
    from lines
    group by order_key
),

orders as (
    select
        firsts.order_key,
        firsts.order_id,
        firsts.event_day,
        firsts.event_key,
        firsts.event_time,
        firsts.day,
        firsts.project,
        firsts.country,
        firsts.visitor_key,
        firsts.is_bot,
        firsts.user_key,
        firsts.session_key,
        firsts.received_at,
        coalesce(firsts.order_currency, 'unknown') as currency,
        firsts.order_total as total,
        firsts.order_subtotal as subtotal,
        firsts.order_shipping as shipping,
        firsts.order_tax as tax,
        firsts.order_discount as discount,
        firsts.order_coupon as coupon,
        coalesce(items.item_lines, 0) as item_lines,
        coalesce(items.items, 0) as items,
        firsts.load_id
    from firsts
    left join items on items.order_key = firsts.order_key
)

select * from orders
