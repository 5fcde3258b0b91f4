{#- A query that PostgreSQL itself runs, of which DuckDB sees only the rows.

    A filter on an attached table would not do: DuckDB reads the whole table for a bound that it
    computes, and once a range of pages for a literal. No text of an event ever stands in the query. -#}
{% macro from_postgres(sql) -%}
postgres_query('pg', $pulled$
{{ sql }}
$pulled$)
{%- endmacro %}


{#- A table of silver, as PostgreSQL calls it. -#}
{% macro silver(model) -%}
{{ ref(model).include(database=false) }}
{%- endmacro %}


{#- Whether a row of silver, or of a ledger, belongs to the window that gold takes in now. -#}
{% macro is_news(load_id='load_id') -%}
{{ load_id }} > {{ var('from_load_id') | int }} and {{ load_id }} <= {{ var('to_load_id') | int }}
{%- endmacro %}


{#- The reporting time zone as a literal. -#}
{% macro report_zone() -%}
{{ dbt.string_literal(dbt.escape_single_quotes(var('timezone'))) }}
{%- endmacro %}
