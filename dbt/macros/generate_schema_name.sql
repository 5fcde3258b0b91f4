{#- A model's schema is the one that its folder names, for everyone; `schema_suffix` tells one that is
    built beside it. -#}
{% macro generate_schema_name(custom_schema_name, node) -%}
{{ (custom_schema_name or target.schema) | trim }}{{ var('schema_suffix') }}
{%- endmacro %}
