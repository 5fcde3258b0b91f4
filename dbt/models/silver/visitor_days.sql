{{ config(indexes=[{'columns': ['load_id']}]) }}

with visits as (
    select *
    from {{ ref('new_events') }}
    where visitor_key is not null and not is_bot
),

visitor_days as (
    select
        day,
        project,
        country,
        visitor_key,
        min(load_id) as load_id
    from visits
    group by day, project, country, visitor_key
)

select * from visitor_days
