-- Up to the last load that silver took, from the first that retention has left: what raw holds is an
-- event, or was counted as a repeat.
with bounds as (
    select
        greatest(
            {{ var('test_from_load_id') | int }},
            (select coalesce(max(load_id), 0) from tidelake.loads where dropped_at is not null)
        ) as from_load_id,
        greatest(
            (select coalesce(max(load_id), 0) from {{ ref('pii_events') }}),
            (select coalesce(max(load_id), 0) from {{ ref('repeats') }})
        ) as to_load_id
),

counted as (
    select
        (
            select count(*)
            from {{ source('raw', 'events') }}
            where load_id > bounds.from_load_id and load_id <= bounds.to_load_id
        ) as raw_rows,
        (
            select count(*)
            from {{ ref('pii_events') }}
            where load_id > bounds.from_load_id and load_id <= bounds.to_load_id
        ) as events,
        (
            select coalesce(sum(repeats), 0)
            from {{ ref('repeats') }}
            where load_id > bounds.from_load_id and load_id <= bounds.to_load_id
        ) as repeats
    from bounds
)

select * from counted where raw_rows <> events + repeats
