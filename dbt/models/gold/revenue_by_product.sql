select * from {{ ref('news_order_items') }}
