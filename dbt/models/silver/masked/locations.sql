select
    location_key,
    country,
    region,
    isp,
    connection_type,
    load_id
from {{ ref('pii_locations') }}
