-- An order comes with all its lines, in one load: orders counted in a window are counted once.
{%- set lines %}
select
    day,
    project,
    country,
    coalesce(nullif(currency, ''), 'unknown') as currency,
    coalesce(nullif(product_id, ''), 'unknown') as product_id,
    coalesce(nullif(product_name, ''), 'unknown') as product_name,
    coalesce(nullif(category, ''), 'unknown') as category,
    coalesce(sum(quantity), 0)::bigint as quantity,
    coalesce(sum(revenue), 0) as revenue,
    count(distinct order_key) as orders
from {{ silver('order_items') }}
where {{ is_news() }}
group by 1, 2, 3, 4, 5, 6, 7
{% endset %}

select * from {{ from_postgres(lines) }}
