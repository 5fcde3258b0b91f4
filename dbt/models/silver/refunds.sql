{{ config(indexes=[{'columns': ['load_id']}]) }}

with refunds as (
    select
        *,
        {{ order_key() }} as order_key,
        coalesce(order_currency, 'unknown') as currency,
        order_total as refunded
    from {{ ref('new_events') }}
    where event_type = 'refund'
)

select * from refunds
