{{ config(indexes=[{'columns': ['load_id']}]) }}

with measured as (
    select *
    from {{ ref('new_events') }}
    where
        page_load_time is not null
        or first_contentful_paint is not null
        or dom_interactive is not null
        or network_latency is not null
)

select * from measured
