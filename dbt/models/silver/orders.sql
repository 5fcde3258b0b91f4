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
        row_number() over (partition by order_key order by received_at, load_id, row_number) as copy
    from purchases
),

firsts as (
    select * from ranked where copy = 1
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
        sums.item_lines,
        sums.items,
        firsts.load_id
    from firsts
    cross join lateral (
        select
            count(*) as item_lines,
            coalesce(sum(quantity), 0) as items
        from (
            {{ lines_of('firsts.items') | indent(12) }}
        ) as lines
    ) as sums
)

select * from orders
