{% macro enter_window() -%}
select tidelake.enter_window(
    '{{ this.identifier }}',
    '{{ var("schema_suffix") }}',
    {{ var("from_load_id") | int }},
    {{ var("to_load_id") | int }}
)
{%- endmacro %}
