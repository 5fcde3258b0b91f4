-- Whoever reached a step reached all before it.
select later.*, earlier.sessions as sessions_before
from {{ ref('funnel') }} as later
left join {{ ref('funnel') }} as earlier
    on later.day = earlier.day
    and later.project = earlier.project
    and later.country = earlier.country
    and later.step = earlier.step + 1
where later.step > 1 and coalesce(earlier.sessions, 0) < later.sessions
