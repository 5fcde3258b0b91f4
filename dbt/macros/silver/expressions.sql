{#- Whether a row of raw belongs to the window. -#}
{% macro in_window(load_id='load_id') -%}
{{ load_id }} > {{ var('from_load_id') | int }} and {{ load_id }} <= {{ var('to_load_id') | int }}
{%- endmacro %}


{#- Day of a moment in the reporting time zone. -#}
{% macro report_day(moment) -%}
cast({{ moment }} at time zone {{ dbt.string_literal(dbt.escape_single_quotes(var('timezone'))) }} as date)
{%- endmacro %}


{#- Monday of the week of a day. -#}
{% macro week_of(day) -%}
cast(date_trunc('week', {{ day }}) as date)
{%- endmacro %}


{#- Columns or literals as one text that no other row of columns gives: none of them holds chr(31). -#}
{% macro joined(parts) -%}
{{ parts | join(' || chr(31) || ') }}
{%- endmacro %}


{#- Key of what stands for a person, or leads to one: nobody can make it without the masking key. The
    pads come from `masking_key`, which the query must join under the name `masking`. -#}
{% macro keyed_hash(parts) -%}
silver_pii.keyed_hash({{ joined(parts) }}, masking.inner_pad, masking.outer_pad)
{%- endmacro %}


{#- Key of what is no secret. -#}
{% macro hashed(parts) -%}
cast(md5({{ joined(parts) }}) as uuid)
{%- endmacro %}


{#- The columns, each as a text that is never null. -#}
{% macro or_empty(columns) -%}
{%- set texts = [] -%}
{%- for column in columns -%}{%- do texts.append("coalesce(" ~ column ~ ", '')") -%}{%- endfor -%}
{{ return(texts) }}
{%- endmacro %}


{#- Host of an address without www., in lower case; what is no address is taken as it is. -#}
{% macro host_of(address) -%}
coalesce(
    substring(
        lower({{ address }})
        from '^[a-z][a-z0-9+.-]*://(?:[^/?#@]*@)?(?:www\.)?(\[[^]]*\]|[^/?#:]+)'
    ),
    lower({{ address }})
)
{%- endmacro %}


{#- Figures that no arithmetic behind this can make overflow: what is beyond 1e15, or a count beyond 1e9,
    is no measurement, and counts as not known. -#}
{% macro amount(column) -%}
case when {{ column }} between -1e15 and 1e15 then {{ column }} end
{%- endmacro %}


{% macro count_of(column) -%}
case when {{ column }} between -1000000000 and 1000000000 then {{ column }} end
{%- endmacro %}


{#- A sentence without the values that it quotes, which may be a name or a number of somebody: texts in
    quotes, cut ones without the last, and long numbers. -#}
{% macro without_values(sentence) -%}
regexp_replace({{ sentence }}, '"(?:[^"\\]|\\.)*(?:"|$)|\d[\d.]{5,}', '…', 'g')
{%- endmacro %}


{#- The value of a column in the one row of the group for which the condition holds. -#}
{% macro value_where(column, condition) -%}
(array_agg({{ column }}) filter (where {{ condition }}))[1]
{%- endmacro %}
