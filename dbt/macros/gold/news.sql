{#- The news of the window in one table of silver or of the ledgers, read once and kept in memory:
    whoever asks for them asks DuckDB, and the published file never sees them. -#}
{% materialization news, adapter='duckdb' %}
  {%- set target = this.incorporate(type='table') -%}
  {%- call statement('main') -%}
    create or replace table {{ target }} as
    select * from {{ from_postgres(compiled_code) }}
  {%- endcall -%}
  {%- do adapter.commit() -%}
  {{ return({'relations': [target]}) }}
{% endmaterialization %}
