{{ config(alias='searches') }}

select * from {{ ref('news_searches') }}
