{{ config(indexes=[{'columns': ['load_id']}]) }}

with searches as (
    select
        *,
        search_query as query
    from {{ ref('new_events') }}
    where event_type = 'search' and trim(search_query) <> ''
)

select * from searches
