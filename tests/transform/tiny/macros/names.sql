{% macro generate_schema_name(custom_schema_name, node) -%}
{{ (custom_schema_name or target.schema) | trim }}{{ var('schema_suffix') }}
{%- endmacro %}

{% macro is_news() -%}
load_id > {{ var("from_load_id") | int }} and load_id <= {{ var("to_load_id") | int }}
{%- endmacro %}

{% macro get_incremental_insert_ignore_sql(arguments) %}
insert into {{ arguments.target_relation }}
select * from {{ arguments.temp_relation }}
on conflict do nothing
{% endmacro %}
