{#- Bins of 5 % each: the middle of a bin is within 2.5 % of all that lies in it. -#}
{% macro bin_of(ms) -%}
cast(floor(ln(greatest({{ ms }}, 1)) / ln(1.05)) as integer)
{%- endmacro %}


{% macro middle_of_bin(bin) -%}
power(1.05, {{ bin }} + 0.5)
{%- endmacro %}
