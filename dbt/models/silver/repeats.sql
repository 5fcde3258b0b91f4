with raw_rows as (
    select
        load_id,
        coalesce(project, 'default') as project,
        {{ report_day('received_at') }} as received_day,
        1 as difference
    from {{ source('raw', 'events') }}
    where {{ in_window() }}
),

new_rows as (
    select
        load_id,
        project,
        received_day,
        -1 as difference
    from {{ ref('new_events') }}
),

both_kinds as (
    select * from raw_rows
    union all
    select * from new_rows
),

repeats as (
    select
        load_id,
        project,
        received_day,
        sum(difference) as repeats
    from both_kinds
    group by load_id, project, received_day
    having sum(difference) > 0
)

select * from repeats
