-- An older event that comes late gives a visitor another first day: old rows -1, new ones 1.
{%- set weeks %}
select project, country, first_day, cohort_week, weeks_after, sum(sign)::bigint as visitors
from {{ silver('visitor_week_changes') }}
where {{ is_news() }}
group by 1, 2, 3, 4, 5
having sum(sign) <> 0
{% endset %}
select * from {{ from_postgres(weeks) }}
