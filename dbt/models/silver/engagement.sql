{{ config(indexes=[{'columns': ['load_id']}]) }}

with engaged as (
    select *
    from {{ ref('new_events') }}
    where
        scroll_depth is not null
        or time_on_page is not null
        or interactions is not null
        or form_submissions is not null
        or video_views is not null
        or downloads is not null
)

select * from engaged
