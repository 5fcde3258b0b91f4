{#- A table or a view that is put in the place of the one before, in one statement: whoever fails in
    between throws the whole file away, so nothing has to be kept beside it. -#}
{% materialization replaced, adapter='duckdb' %}
  {%- set kind = config.get('meta', {}).get('kind', 'table') -%}
  {%- set target = this.incorporate(type=kind) -%}
  {%- call statement('main') -%}
    create or replace {{ kind }} {{ target }} as
    {{ compiled_code }}
  {%- endcall -%}
  {%- do adapter.commit() -%}
  {{ return({'relations': [target]}) }}
{% endmaterialization %}


{#- Whether the model goes on from what the file holds of it. -#}
{% macro goes_on() -%}
{{ return(execute and load_cached_relation(this) is not none and not should_full_refresh()) }}
{%- endmacro %}
