{#- The moment of this publication. -#}
{% macro published_at() -%}
cast({{ dbt.string_literal(dbt.escape_single_quotes(var('published_at', run_started_at | string))) }} as timestamptz)
{%- endmacro %}


{#- From which hour on pipeline_health is read again, as a literal that PostgreSQL understands. -#}
{% macro newest_hour() -%}
{%- set found = none -%}
{%- if execute -%}
  {%- set known = 'select max(hour) - interval \'1 hour\' from ' ~ this if is_incremental()
      else 'select ' ~ published_at() ~ ' - interval \'30 days\'' -%}
  {%- set found = run_query('select coalesce(strftime((' ~ known ~ ') at time zone \'UTC\', \'%Y-%m-%d %H:%M:%S+00\'), \'-infinity\')')[0][0] -%}
{%- endif -%}
'{{ found }}'::timestamptz
{%- endmacro %}
