with rejected as (
    select
        load_id,
        row_number,
        {{ report_day('received_at') }} as received_day,
        coalesce(project, 'default') as project,
        reason,
        field,
        {{ without_values('detail') }} as detail,
        source,
        source_position,
        format,
        received_at,
        records
    from {{ source('raw', 'rejected_events') }}
    where {{ in_window() }}
)

select * from rejected
