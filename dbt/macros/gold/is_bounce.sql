{#- A visit of one event, or of less than two page views and nothing else: both say one event. -#}
{% macro is_bounce() -%}
events = 1
{%- endmacro %}
