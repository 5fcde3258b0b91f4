{#- Rows of a table of the lake, as whoever runs dbt read them from its newest snapshot. -#}
{% macro lake_rows(name) -%}
{%- set rows = var(name, none) -%}
{{ 'null' if rows is none else rows | int }}
{%- endmacro %}
