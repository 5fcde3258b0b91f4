{#- Data tests of silver. They look at rows of loads after `test_from_load_id`, and find the others by key,
    so that they cost by what is new. That keys are unique and columns not null is the tables' own rule. -#}


{#- Rows whose `columns`, where they are not null, are no key in `to`. -#}
{% test found_in(model, columns, to) %}
select tested.*
from {{ model }} as tested
left join lateral (
    select 1 as one
    from {{ to }} as known
    where {% for column in columns %}known.{{ column }} = tested.{{ column }}{{ ' and ' if not loop.last }}{% endfor %}
    limit 1
) as known on true
where
    known.one is null
    and tested.{{ columns[0] }} is not null
    and tested.load_id > {{ var('test_from_load_id') | int }}
{% endtest %}


{#- Rows for which the expression is not true. -#}
{% test holds(model, expression) %}
select *
from {{ model }}
where
    ({{ expression }}) is not true
    and load_id > {{ var('test_from_load_id') | int }}
{% endtest %}
