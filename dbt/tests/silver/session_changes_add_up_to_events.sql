-- Every event that can be in a session is in one: the changes of all windows since count them, from
-- where none was put together with one of before.
{%- set from_load_id = var('test_from_load_id') | int %}
with boundary as (
    select coalesce(max(load_id), 0) as load_id
    from {{ ref('session_changes') }}
    {% if from_load_id -%}
    where load_id <= (
        select greatest({{ from_load_id }}, coalesce(max(to_load_id), 0))
        from tidelake.windows
        where compacted
    )
    {%- else -%}
    where false
    {%- endif %}
),

changed as (
    select coalesce(sum(sign * events), 0) as events
    from {{ ref('session_changes') }}
    where load_id > (select load_id from boundary)
),

taken as (
    select count(*) as events
    from {{ ref('pii_events') }}
    where
        load_id > (select load_id from boundary)
        and coalesce(session_key, visitor_key) is not null
)

select
    changed.events as changed_events,
    taken.events as taken_events
from changed
cross join taken
where changed.events <> taken.events
