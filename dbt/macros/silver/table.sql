{#- A table of silver: made once from the columns of its YAML, then given a window's rows by its strategy.

    It takes the place of dbt's own `incremental`, which makes the first table in another way than it
    changes the later ones, and which writes every window twice, through a temporary table: two dozen
    of them every five seconds fill PostgreSQL's catalogue. Here the first window and all others run
    the same statement. All of it is one transaction, which the window must let in. -#}
{% materialization incremental, adapter='postgres' %}
  {%- set target = this.incorporate(type='table') -%}
  {%- set exists = load_cached_relation(this) is not none and not should_full_refresh() -%}
  {%- set strategy = adapter.get_incremental_strategy_macro(context, config.get('incremental_strategy')) -%}

  {{ run_hooks(pre_hooks, inside_transaction=False) }}
  {%- call statement('enter') -%} {{ enter_window() }} {%- endcall -%}
  {{ run_hooks(pre_hooks, inside_transaction=True) }}

  {%- if exists -%}
    {%- do add_missing_columns(target) -%}
  {%- else -%}
    {%- do make_table(target) -%}
  {%- endif -%}

  {%- call statement('main') -%}
    {{ strategy({'target': target, 'columns': model.columns | list, 'select': compiled_code}) }}
  {%- endcall -%}

  {{ run_hooks(post_hooks, inside_transaction=True) }}
  {%- do adapter.commit() -%}
  {{ run_hooks(post_hooks, inside_transaction=False) }}
  {{ return({'relations': [target]}) }}
{% endmaterialization %}


{#- Refuses a run whose window another one has finished meanwhile. What is read by key lies in memory for
    the most part; and a query of a hundred milliseconds is not worth compiling. -#}
{% macro enter_window() -%}
set local random_page_cost = 1.1;
set local jit = off;
set local work_mem = '64MB';
select tidelake.enter_window(
  '{{ model.name }}', '{{ var("schema_suffix") }}', {{ var('from_load_id') | int }}, {{ var('to_load_id') | int }}
)
{%- endmacro %}


{#- Tables belong to the role that owns the schema, whoever runs dbt: rights hang on that. -#}
{% macro make_table(target) -%}
  {%- call statement('create') -%}
    set local role silver_owner;
    drop table if exists {{ target }} cascade;
    create {{ 'unlogged ' if config.get('unlogged') }}table {{ target }} {{ get_table_columns_and_constraints() }};
  {%- endcall -%}
  {%- do create_indexes(target) -%}
  {%- do alter_relation_comment(target, model.description) -%}
  {%- do alter_column_comment(target, model.columns) -%}
  {%- call statement('created') -%} reset role {%- endcall -%}
{%- endmacro %}


{#- A column that a newer YAML has is null in the rows that were there before. -#}
{% macro add_missing_columns(target) -%}
  {%- set present = adapter.get_columns_in_relation(target) | map(attribute='name') | list -%}
  {%- for column in model.columns.values() if column.name not in present -%}
    {%- call statement('add_' ~ column.name) -%}
      alter table {{ target }} add column {{ adapter.quote(column.name) }} {{ column.data_type }}
    {%- endcall -%}
  {%- endfor -%}
{%- endmacro %}


{#- Types as PostgreSQL writes them: dbt's own query calls every array ARRAY, which nothing can be cast to. -#}
{% macro postgres__get_columns_in_relation(relation) -%}
  {%- call statement('get_columns_in_relation', fetch_result=True) -%}
    select
      attname as column_name,
      format_type(atttypid, null) as data_type,
      null::integer as character_maximum_length,
      null::integer as numeric_precision,
      null::integer as numeric_scale
    from pg_attribute
    where attrelid = to_regclass('{{ relation.include(database=False) }}') and attnum > 0 and not attisdropped
    order by attnum
  {%- endcall -%}
  {{ return(sql_convert_columns_in_relation(load_result('get_columns_in_relation').table)) }}
{%- endmacro %}
