{{ config(alias='searches') }}

{%- set searches %}
select day, project, country, query, count(*) as searches
from {{ silver('searches') }}
where {{ is_news() }}
group by 1, 2, 3, 4
{% endset %}

select * from {{ from_postgres(searches) }}
