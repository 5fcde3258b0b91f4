"""What each table of silver is held against, as SQL: the parameter `to` is silver's watermark.

A witness is another table that says how many rows a table must have: the windows, the events, the
log of its changes, or raw where raw still has its loads.
"""

from __future__ import annotations

from dataclasses import dataclass

WATERMARK = """
select to_load_id from tidelake.windows where status = 'done' order by to_load_id desc limit 1
"""

WINDOWS = """
with counted as (
    select load_id, count(*) as rows
    from silver_pii.events where load_id <= %(to)s group by load_id
),

by_window as (
    select
        (
            select min(to_load_id) from tidelake.windows
            where to_load_id >= counted.load_id
        ) as to_load_id,
        sum(rows) as rows
    from counted group by 1
)

select windows.from_load_id, windows.to_load_id, windows.new_events, coalesce(rows, 0)::bigint
from tidelake.windows
left join by_window using (to_load_id)
where windows.status = 'done' and windows.new_events <> coalesce(rows, 0)
order by windows.to_load_id
"""


@dataclass(frozen=True, slots=True)
class Witness:
    """Rows that a table of silver has, and the rows that it must have, by who says so."""

    table: str
    found: str
    expected: str
    says: str


VISITS = "from silver_pii.events where load_id <= %(to)s and visitor_key is not null and not is_bot"
UP_TO = "where load_id <= %(to)s"
DISTINCT = "select count(distinct {key}) from silver_pii.events " + UP_TO

WITNESSES = (
    Witness(
        "page_views",
        f"select count(*) from silver.page_views {UP_TO}",
        f"select count(*) from silver_pii.events {UP_TO} "
        "and event_type in ('page_view', 'screen_view')",
        "the events",
    ),
    Witness(
        "refunds",
        f"select count(*) from silver.refunds {UP_TO}",
        f"select count(*) from silver_pii.events {UP_TO} and event_type = 'refund'",
        "the events",
    ),
    Witness(
        "devices",
        f"select count(*) from silver.devices {UP_TO}",
        DISTINCT.format(key="device_key"),
        "the events",
    ),
    Witness(
        "visitor_days",
        f"select count(*) from silver.visitor_days {UP_TO}",
        "select count(*) from ("
        f"select distinct day, project, country, visitor_key {VISITS}) as days",
        "the events",
    ),
    Witness(
        "visitor_week_changes",
        f"select coalesce(sum(sign), 0) from silver.visitor_week_changes {UP_TO}",
        "select count(*) from ("
        f"select distinct visitor_key, date_trunc('week', day) {VISITS}) as weeks",
        "the events",
    ),
    Witness(
        "visitor_weeks",
        "select count(*) from silver.visitor_weeks",
        "select coalesce(sum(sign), 0) from silver.visitor_week_changes",
        "the log of their changes",
    ),
    Witness(
        "sessions",
        "select count(*) from silver_pii.sessions",
        "select coalesce(sum(sign), 0) from silver.session_changes",
        "the log of their changes",
    ),
    Witness(
        "session_changes",
        f"select coalesce(sum(sign * events), 0) from silver.session_changes {UP_TO}",
        f"select count(*) from silver_pii.events {UP_TO} "
        "and coalesce(visitor_key, session_key) is not null",
        "the events",
    ),
    Witness(
        "order_items",
        "select count(*) from silver.order_items",
        "select coalesce(sum(item_lines), 0) from silver.orders",
        "the orders",
    ),
    Witness(
        "rejected_events",
        f"select count(*) from silver.rejected_events {UP_TO}",
        "select coalesce(sum(rejected), 0) from tidelake.windows where status = 'done'",
        "the windows",
    ),
    Witness(
        "repeats",
        f"select coalesce(sum(repeats), 0) from silver.repeats {UP_TO}",
        "select coalesce(sum(repeats), 0) from tidelake.windows where status = 'done'",
        "the windows",
    ),
)

# Merged by the window under way too: not fewer than up to the last one, not more than in all.
USERS = f"""
select
    (select count(*) from silver_pii.users),
    (select count(distinct user_key) from silver_pii.events {UP_TO}),
    (select count(distinct user_key) from silver_pii.events)
"""

LOCATIONS = f"""
select
    (select count(*) from silver_pii.locations),
    (select count(distinct location_key) from silver_pii.events {UP_TO}),
    (select count(distinct location_key) from silver_pii.events)
"""

# The conditions of these models in dbt/models/silver, on the rows of raw that became events.
FROM_RAW = """
with firsts as (
    select raw.*, coalesce(raw.project, 'default') as known_project
    from raw.events as raw
    inner join silver_pii.events as events using (event_day, event_key)
    where
        raw.load_id <= %(to)s and raw.load_id > %(dropped)s
        and events.load_id = raw.load_id and events.source_position = raw.source_position
)

select
    count(*) filter (where event_type = 'search' and trim(search_query) <> ''),
    count(*) filter (
        where
        performance_page_load_time between -1e15 and 1e15
        or performance_first_contentful_paint between -1e15 and 1e15
        or performance_dom_interactive between -1e15 and 1e15
        or performance_network_latency between -1e15 and 1e15
    ),
    count(*) filter (
        where
        engagement_scroll_depth between -1e15 and 1e15
        or engagement_time_on_page between -1e15 and 1e15
        or engagement_interactions between -1e9 and 1e9
        or engagement_form_submissions between -1e9 and 1e9
        or engagement_video_views between -1e9 and 1e9
        or engagement_downloads between -1e9 and 1e9
    ),
    count(distinct (
        known_project,
        case when order_id <> '' then order_id end,
        case when order_id <> '' then null else (event_day, event_key) end
    )) filter (where event_type = 'purchase')
from firsts
"""
RAW_TABLES = ("searches", "web_performance", "engagement", "orders")

DROPPED = "select coalesce(max(load_id), 0) from tidelake.loads where dropped_at is not null"
