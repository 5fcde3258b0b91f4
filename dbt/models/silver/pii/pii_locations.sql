{{ config(alias='locations') }}

with located as (
    select * from {{ ref('new_events') }} where location_key is not null
),

locations as (
    select distinct
        location_key,
        location_country as country,
        region,
        city,
        isp,
        connection_type
    from located
)

select
    *,
    {{ var('to_load_id') | int }} as load_id
from locations
