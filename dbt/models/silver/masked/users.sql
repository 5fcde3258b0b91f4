select
    user_key,
    project,
    first_seen_at,
    last_seen_at,
    events,
    country,
    load_id
from {{ ref('pii_users') }}
