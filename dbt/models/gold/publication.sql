{{ config(materialized='replaced') }}

{#- Last of all: a file that says up to where it stands stands there with every table. -#}
{%- for table in [
    'daily_traffic', 'events_by_hour', 'engagement_by_type', 'sessions_by_day', 'funnel',
    'retention', 'revenue_by_day', 'revenue_by_product', 'top_pages', 'acquisition',
    'gold_searches', 'web_performance_bins', 'gold_web_performance', 'data_quality',
    'unknown_types', 'pipeline_health', 'books',
] -%}
  {%- do ref(table) -%}
{%- endfor -%}
select
    cast({{ var('version', 0) | int }} as bigint) as version,
    cast({{ var('from_load_id') | int }} as bigint) as from_load_id,
    cast({{ var('to_load_id') | int }} as bigint) as to_load_id,
    {{ published_at() }} as published_at,
    {{ report_zone() }} as timezone,
    {{ dbt.string_literal(dbt.escape_single_quotes(var('trouble', ''))) }} as trouble
