{#- News of a table whose names (paths, searches, types …) are whatever clients send, bounded.

    A day of a project holds so many names; what comes after them is counted as '(other)'. News take
    away what they once added, so a name must be counted in one place for as long as anything is
    counted of it. Hence: a name that the table holds stays. A day that counts anything as '(other)'
    takes no name any more, even where one of its names went since: nobody knows which names are in
    '(other)'. When all of that was taken back its row is gone, and nothing of any name is in it. -#}
{% macro bounded_names(sql, target, columns, key, names) -%}
{%- set bound = var('names_a_day') | int -%}
{%- set owner = ['day', 'project'] + names -%}
{%- set measures = columns | map(attribute='name') | reject('in', key) | list -%}
{%- set count = columns | selectattr('data_type', 'equalto', 'bigint') | map(attribute='name') | first -%}
with sent as (
{{ sql }}
),

named as (
    select * replace (
        {%- for name in names %}
        {{ as_name(name) }} as {{ name }}{{ ',' if not loop.last }}
        {%- endfor %}
    )
    from sent
),

held as (
    select distinct {{ owner | join(', ') }}
    from {{ target }}
    where day in (select day from named)
),

days as (
    select
        day,
        project,
        case when bool_or({{ names[0] }} = {{ other() }}) then 0 else {{ bound }} - count(*) end as free
    from held
    group by day, project
),

strange as (
    select
        {{ owner | join(', ') }},
        row_number() over (
            partition by day, project
            order by sum({{ count }}) desc, {{ names | join(', ') }}
        ) as place
    from named
    anti join held using ({{ owner | join(', ') }})
    group by {{ owner | join(', ') }}
),

others as (
    select strange.*
    from strange
    left join days using (day, project)
    where strange.place > coalesce(days.free, {{ bound }})
),

summed as (
    select
        {%- for column in key if column not in names %}
        {{ column }},
        {%- endfor %}
        {%- for name in names %}
        case when others.place is null then {{ name }} else {{ other() }} end as {{ name }},
        {%- endfor %}
        {%- for measure in measures %}
        sum({{ measure }}) as {{ measure }}{{ ',' if not loop.last }}
        {%- endfor %}
    from named
    left join others using ({{ owner | join(', ') }})
    group by all
)

select * from summed
{%- endmacro %}


{#- The name of all names that a day has no room for. -#}
{% macro other() -%}
'(other)'
{%- endmacro %}


{#- A text as a name: not longer than can be read, and never the one that has a meaning of its own. -#}
{% macro as_name(text) -%}
case when {{ text }} = {{ other() }} then '"(other)"' else left({{ text }}, 200) end
{%- endmacro %}
