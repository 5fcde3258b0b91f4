{#- A table of sums: the model's rows are news, added to what the table holds for their key.

    `unique_key` names the key, every other column of the YAML is a measure. The YAML decides on
    columns, their order and their types. What the news do not speak of counts 0; a row of which
    all counts came to zero was taken back and goes. (Sums of fractions decide on no row: what is
    left after adding and taking away is seldom exactly zero.)

    `names` are lists of columns of the key that together name something as clients call it: of each
    list a day holds a bounded number (see bounded_names). -#}
{% materialization accumulate, adapter='duckdb' %}
  {%- set target = this.incorporate(type='table') -%}
  {%- set columns = model.columns.values() | list -%}
  {%- set key = config.require('unique_key') -%}
  {{ run_hooks(pre_hooks) }}

  {%- if load_cached_relation(this) is none or should_full_refresh() -%}
    {%- call statement('create') -%}
      {{ create_sums(target, columns) }}
    {%- endcall -%}
  {%- endif -%}

  {%- set news = namespace(sql=compiled_code) -%}
  {%- for names in config.get('meta', {}).get('names', []) -%}
    {%- set news.sql = bounded_names(news.sql, target, columns, key, names) -%}
  {%- endfor -%}
  {%- call statement('main') -%}
    {{ add_sums(target, columns, key, news.sql) }}
  {%- endcall -%}

  {{ run_hooks(post_hooks) }}
  {%- do adapter.commit() -%}
  {{ return({'relations': [target]}) }}
{% endmaterialization %}


{% macro create_sums(target, columns) -%}
create or replace table {{ target }} (
  {%- for column in columns %}
  {{ column.name }} {{ column.data_type }} not null{{ ',' if not loop.last }}
  {%- endfor %}
)
{%- endmacro %}


{% macro add_sums(target, columns, key, sql) -%}
{%- set names = columns | map(attribute='name') | list -%}
{%- set measures = names | reject('in', key) | list -%}
{%- set counts = columns | selectattr('data_type', 'equalto', 'bigint')
    | map(attribute='name') | reject('in', key) | list -%}
merge into {{ target }} as sums
using (
{{ sql }}
) as news
on (
  {%- for column in key %}
  sums.{{ column }} = news.{{ column }}{{ ' and' if not loop.last }}
  {%- endfor %}
)
when matched and (
  {%- for column in counts %}
  sums.{{ column }} + coalesce(news.{{ column }}, 0) = 0{{ ' and' if not loop.last }}
  {%- endfor %}
) then delete
when matched then update set
  {%- for column in measures %}
  {{ column }} = sums.{{ column }} + coalesce(news.{{ column }}, 0){{ ',' if not loop.last }}
  {%- endfor %}
when not matched and (
  {%- for column in counts %}
  coalesce(news.{{ column }}, 0) <> 0{{ ' or' if not loop.last }}
  {%- endfor %}
) then insert ({{ names | join(', ') }}) values (
  {%- for column in names %}
  {{ 'news.' ~ column if column in key else 'coalesce(news.' ~ column ~ ', 0)' }}{{ ',' if not loop.last }}
  {%- endfor %}
)
{%- endmacro %}
