with devices as (
    select distinct
        device_key,
        browser,
        os,
        device,
        browser_version,
        platform_version,
        device_type,
        screen_resolution,
        language,
        timezone
    from {{ ref('new_events') }}
    where device_key is not null
)

select
    *,
    {{ var('to_load_id') | int }} as load_id
from devices
