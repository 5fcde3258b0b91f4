{{ config(indexes=[{'columns': ['load_id']}]) }}

with page_views as (
    select *
    from {{ ref('new_events') }}
    where event_type in ('page_view', 'screen_view')
)

select * from page_views
