select
    identity_key,
    kind,
    project,
    linked_user_key,
    linked_by,
    linked_at,
    user_key,
    hops,
    load_id
from {{ ref('pii_identities') }}
