{#- How a window's rows get into a table: the part of silver that belongs to PostgreSQL. Each gives the
    same table however often a window runs. `arguments`: target, columns (names), select. -#}


{#- Facts: a key that is there stays as it is. -#}
{% macro get_incremental_insert_ignore_sql(arguments) -%}
{{ insert_select(arguments) }}
on conflict do nothing
{%- endmacro %}


{#- The work table holds the window and nothing else; the table that the model names as `meta.entity`
    gets the same rows for good, in the same transaction. -#}
{% macro get_incremental_take_window_sql(arguments) -%}
{%- set entity = entity_of(model) -%}
{%- set columns = entity.columns | list -%}
truncate table {{ arguments.target }};
{{ insert_select(arguments) }};
insert into {{ relation_of(entity) }} ({{ columns | join(', ') }})
select {{ columns | join(', ') }} from {{ arguments.target }}
on conflict do nothing
{%- endmacro %}


{#- Entities: the row of the select replaces the one of its key. The select gives what becomes of a row,
    and nothing for a row that the window is already in. -#}
{% macro get_incremental_upsert_sql(arguments) -%}
{{ insert_select(arguments) }}
{{ replace_on_conflict(primary_key(model), arguments.columns) }}
{%- endmacro %}


{#- An entity with a log of its changes: the select gives signed rows, -1 for a row as it was and +1 for
    the row as it is. They go into the log and through it, in the same statement, into the entity that
    the model names as `meta.entity`. -#}
{% macro get_incremental_log_changes_sql(arguments) -%}
{%- set entity = entity_of(model) -%}
{%- set relation = relation_of(entity) -%}
{%- set key = primary_key(entity) -%}
{%- set columns = entity.columns | list -%}
with changes as materialized (
    select
        *,
        max(sign) over (partition by {{ key | join(', ') }}) = -1 as is_gone
    from (
{{ arguments.select }}
    ) as news
),

-- By the place of the row, which the statement's snapshot holds still: a join might read all of them.
removed as (
    delete from {{ relation }}
    where ctid = any(array(
        select entity.ctid
        from changes
        cross join lateral (
            select found.ctid
            from {{ relation }} as found
            where {{ same_key('found', 'changes', key) }}
            limit 1
        ) as entity
        where changes.is_gone
    ))
),

written as (
    insert into {{ relation }} ({{ columns | join(', ') }})
    select {{ columns | join(', ') }} from changes where sign = 1
    {{ replace_on_conflict(key, columns) }}
)

insert into {{ arguments.target }} ({{ arguments.columns | join(', ') }})
select {{ arguments.columns | join(', ') }} from changes
{%- endmacro %}


{#- A table that another model writes, together with its own: here it is only made where it is missing. -#}
{% macro get_incremental_written_elsewhere_sql(arguments) -%}
select 'written by another model'
{%- endmacro %}


{#- The select of such a model: no row, and the columns of its YAML. -#}
{% macro no_rows() -%}
select
{%- for column in model.columns.values() %}
    cast(null as {{ column.data_type }}) as {{ column.name }}{{ ',' if not loop.last }}
{%- endfor %}
where false
{%- endmacro %}


{% macro insert_select(arguments) -%}
insert into {{ arguments.target }} ({{ arguments.columns | join(', ') }})
select {{ arguments.columns | join(', ') }} from (
{{ arguments.select }}
) as news
{%- endmacro %}


{% macro replace_on_conflict(key, columns) -%}
on conflict ({{ key | join(', ') }}) do update set
{%- for column in columns if column not in key %}
    {{ column }} = excluded.{{ column }}{{ ',' if not loop.last }}
{%- endfor %}
{%- endmacro %}


{% macro same_key(one, other, key) -%}
{%- for column in key -%}
{{ one }}.{{ column }} = {{ other }}.{{ column }}{{ ' and ' if not loop.last }}
{%- endfor -%}
{%- endmacro %}


{% macro primary_key(node) -%}
{{ return((node.constraints | selectattr('type', 'equalto', 'primary_key') | first).columns) }}
{%- endmacro %}


{% macro entity_of(node) -%}
{{ return(graph.nodes['model.' ~ project_name ~ '.' ~ node.config.meta.entity]) }}
{%- endmacro %}


{% macro relation_of(node) -%}
{{ return(api.Relation.create(database=node.database, schema=node.schema, identifier=node.alias)) }}
{%- endmacro %}
