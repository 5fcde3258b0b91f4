{#- A view of silver: made when it is missing or its query has changed, else left alone. dbt's own makes
    it anew on every run, for which it waits until nobody reads it, and everybody waits behind it. -#}
{% materialization view, adapter='postgres' %}
  {%- set target = this.incorporate(type='view') -%}
  {%- set mark = local_md5(compiled_code) -%}
  {{ run_hooks(pre_hooks, inside_transaction=False) }}
  {{ run_hooks(pre_hooks, inside_transaction=True) }}

  {%- if view_mark(target) != mark -%}
    {%- call statement('main') -%}
      set local role silver_owner;
      drop view if exists {{ target }};
      create view {{ target }} with (security_barrier) as
      {{ compiled_code }};
      comment on view {{ target }} is {{ dbt.string_literal(dbt.escape_single_quotes(model.description | trim ~ ' [' ~ mark ~ ']')) }};
    {%- endcall -%}
    {%- do alter_column_comment(target, model.columns) -%}
    {%- call statement('made') -%} reset role {%- endcall -%}
  {%- else -%}
    {%- call statement('main') -%} select 'unchanged' {%- endcall -%}
  {%- endif -%}

  {{ run_hooks(post_hooks, inside_transaction=True) }}
  {%- do adapter.commit() -%}
  {{ run_hooks(post_hooks, inside_transaction=False) }}
  {{ return({'relations': [target]}) }}
{% endmaterialization %}


{#- What the comment of a view says of the query that it was made from; empty where there is no view. -#}
{% macro view_mark(target) -%}
  {%- call statement('mark', fetch_result=True) -%}
    select substring(obj_description(to_regclass('{{ target.include(database=False) }}')) from '\[([0-9a-f]{32})\]$')
  {%- endcall -%}
  {{ return(load_result('mark').table.rows[0][0] or '') }}
{%- endmacro %}
