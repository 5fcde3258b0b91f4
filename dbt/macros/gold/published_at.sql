{#- The moment of this publication. -#}
{% macro published_at() -%}
cast({{ dbt.string_literal(dbt.escape_single_quotes(var('published_at', run_started_at | string))) }} as timestamptz)
{%- endmacro %}


{#- From which hour on pipeline_health is read again, as a literal that both engines understand. -#}
{% macro newest_hour() -%}
{%- set known = "(select max(hour) - interval '1 hour' from " ~ this ~ ")" if goes_on() else "null" -%}
{%- set month = published_at() ~ " - interval '30 days'" -%}
{%- set found = none -%}
{%- if execute -%}
  {%- set hour = "date_trunc('hour', coalesce(" ~ known ~ ", " ~ month ~ ") at time zone 'UTC')" -%}
  {%- set found = run_query("select strftime(" ~ hour ~ ", '%Y-%m-%d %H:%M:%S+00')")[0][0] -%}
{%- endif -%}
'{{ found }}'::timestamptz
{%- endmacro %}
