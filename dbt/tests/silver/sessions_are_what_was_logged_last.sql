with logged as (
    select
        *,
        row_number() over (partition by session_key order by load_id desc, sign desc) as place
    from {{ ref('session_changes') }}
    where load_id > {{ var('test_from_load_id') | int }}
),

last_logged as (
    select * from logged where place = 1
),

compared as (
    select
        last_logged.session_key,
        last_logged.sign,
        last_logged.load_id as logged_load_id,
        last_logged.events as logged_events,
        last_logged.duration_s as logged_duration_s,
        sessions.load_id,
        sessions.events,
        sessions.duration_s
    from last_logged
    left join lateral (
        select *
        from {{ ref('pii_sessions') }} as sessions
        where sessions.session_key = last_logged.session_key
        limit 1
    ) as sessions on true
)

select *
from compared
where
    (sign = -1 and load_id is not null)
    or (
        sign = 1
        and (
            load_id is distinct from logged_load_id
            or events is distinct from logged_events
            or duration_s is distinct from logged_duration_s
        )
    )
