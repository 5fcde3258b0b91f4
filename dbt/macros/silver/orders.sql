{#- Key of an order: of project and order id; of the event where there is no order id. -#}
{% macro order_key() -%}
case
    when order_id <> '' then {{ hashed(['project', "'order'", 'order_id']) }}
    else {{ hashed(['project', "'event'", "cast(event_day as text)", "encode(event_key, 'hex')"]) }}
end
{%- endmacro %}


{#- The lines of the list in `items`, a column of a row beside it; what is no list has none. -#}
{% macro lines_of(items) -%}
select
    line.line_number,
    {{ json_text('line.item', 'product_id') }} as product_id,
    {{ json_text('line.item', 'sku') }} as sku,
    {{ json_text('line.item', 'name') }} as product_name,
    {{ json_text('line.item', 'category') }} as category,
    {{ json_amount('line.item', 'price') }} as price,
    {{ json_count('line.item', 'quantity') }} as quantity
from jsonb_array_elements(tidelake.json_list({{ items }})) with ordinality as line (item, line_number)
where jsonb_typeof(line.item) = 'object'
{%- endmacro %}


{% macro json_text(object, member) -%}
case when jsonb_typeof({{ object }} -> '{{ member }}') = 'string' then nullif({{ object }} ->> '{{ member }}', '') end
{%- endmacro %}


{#- A number that a double holds. A cast of 1e-400 would fail, hence the rounding. -#}
{% macro json_amount(object, member) -%}
case
    when jsonb_typeof({{ object }} -> '{{ member }}') = 'number'
        then case
            when ({{ object }} -> '{{ member }}')::numeric between -1e15 and 1e15
                then round(({{ object }} -> '{{ member }}')::numeric, 30)::double precision
        end
end
{%- endmacro %}


{% macro json_count(object, member) -%}
case
    when jsonb_typeof({{ object }} -> '{{ member }}') = 'number'
        then case
            when
                ({{ object }} -> '{{ member }}')::numeric between -1e9 and 1e9
                and ({{ object }} -> '{{ member }}')::numeric % 1 = 0
                then ({{ object }} -> '{{ member }}')::numeric::bigint
        end
end
{%- endmacro %}
