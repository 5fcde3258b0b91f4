"""Each gold table once more, from the lake's Parquet alone, over all of history at once.

A function takes a connection with the views `events` and `rejected_events` (any that have the
contract's columns) and the reporting time zone, and gives the table that gold must hold. Written
from the definitions of the tables, in sight of the event contract and of no model. See
`definitions` for what an event, a session and an order is; where a docstring here says "reading",
the definition leaves room.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.gold.independent.definitions import (
    ARRIVALS,
    EACH_EVENT,
    EACH_ORDER,
    EACH_SESSION,
    VISITS,
)

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

FUNNEL_STEPS = ("session", "product view", "cart", "checkout", "purchase")
FUNNEL_EVENTS = ("true", "product_views > 0", "cart_updates > 0", "checkouts > 0", "purchases > 0")
METRICS = ("page_load_time", "first_contentful_paint", "dom_interactive", "network_latency")


def _asked(lake: duckdb.DuckDBPyConnection, sql: str, **parameters: str) -> pa.Table:
    return lake.execute(sql, parameters).to_arrow_table()


def daily_traffic(lake: duckdb.DuckDBPyConnection, timezone: str) -> pa.Table:
    """Reading: events and page views are those of bots too; only visitors leave bots out."""
    sql = f"""
    with {VISITS},
    counted as (
        select
            day, project, country,
            count(*) as events,
            count(*) filter (is_page_view) as page_views,
            count(distinct visitor) filter (not is_bot) as visitors,
            count(*) filter (is_bot) as bot_events
        from each_event
        group by day, project, country
    ),
    newcomers as (
        select day, project, country, count(*) as new_visitors
        from first_visits
        group by day, project, country
    )
    select
        day, project, country, events, page_views, visitors,
        coalesce(new_visitors, 0) as new_visitors,
        bot_events
    from counted left join newcomers using (day, project, country)
    """
    return _asked(lake, sql, timezone=timezone)


def events_by_hour(lake: duckdb.DuckDBPyConnection, timezone: str) -> pa.Table:
    """Hours of the zone's clock: the one that comes twice in autumn is one hour."""
    sql = f"""
    with {EACH_EVENT}
    select date_trunc('hour', local_time) as hour, project, country, count(*) as events
    from each_event
    group by 1, 2, 3
    """
    return _asked(lake, sql, timezone=timezone)


def engagement_by_type(lake: duckdb.DuckDBPyConnection, timezone: str) -> pa.Table:
    """Reading: `events` are all of a type, with engagement or not, of bots too."""
    sql = f"""
    with {EACH_EVENT}
    select
        day, project, country, event_type,
        count(*) as events,
        coalesce(sum(scroll_depth), 0) as scroll_depth_sum,
        count(scroll_depth) as scroll_depth_count,
        coalesce(sum(time_on_page), 0) as time_on_page_s,
        count(time_on_page) as time_on_page_count,
        coalesce(sum(interactions), 0)::bigint as interactions,
        coalesce(sum(form_submissions), 0)::bigint as form_submissions,
        coalesce(sum(video_views), 0)::bigint as video_views,
        coalesce(sum(downloads), 0)::bigint as downloads
    from each_event
    group by day, project, country, event_type
    """
    return _asked(lake, sql, timezone=timezone)


def sessions_by_day(lake: duckdb.DuckDBPyConnection, timezone: str) -> pa.Table:
    sql = f"""
    with {EACH_SESSION}
    select
        day, project, country, device_type,
        count(*) filter (not is_bot) as sessions,
        count(*) filter (is_bot) as bot_sessions,
        count(*) filter (not is_bot and is_bounce) as bounces,
        coalesce(sum(page_views) filter (not is_bot), 0)::bigint as page_views,
        coalesce(sum(events) filter (not is_bot), 0)::bigint as events,
        coalesce(sum(duration_s) filter (not is_bot), 0) as duration_s,
        count(*) filter (not is_bot and is_converted) as converted
    from each_session
    group by day, project, country, device_type
    """
    return _asked(lake, sql, timezone=timezone)


def funnel(lake: duckdb.DuckDBPyConnection, timezone: str) -> pa.Table:
    """A session that buys has been at every step before, whether its events say so or not."""
    steps = "\nunion all\n".join(
        f"""
        select day, project, country, {step} as step, '{name}' as step_name, count(*) as sessions
        from each_session
        where not is_bot and ({" or ".join(FUNNEL_EVENTS[step - 1 :])})
        group by day, project, country
        """
        for step, name in enumerate(FUNNEL_STEPS, 1)
    )
    return _asked(lake, f"with {EACH_SESSION} {steps}", timezone=timezone)


def retention(lake: duckdb.DuckDBPyConnection, timezone: str) -> pa.Table:
    """Visitors of a cohort by the weeks in which they came; all of them came in week 0."""
    sql = f"""
    with {VISITS},
    cohorts as (
        select *, cast(date_trunc('week', day) as date) as cohort_week from first_visits
    ),
    weeks as (
        select distinct visitor, cast(date_trunc('week', day) as date) as week from visits
    )
    select
        project, country, cohort_week,
        ((week - cohort_week) // 7)::integer as weeks_after,
        count(*) as visitors
    from cohorts join weeks using (visitor)
    group by project, country, cohort_week, weeks_after
    """
    return _asked(lake, sql, timezone=timezone)


def revenue_by_day(lake: duckdb.DuckDBPyConnection, timezone: str) -> pa.Table:
    """Orders and refunds of bots are money too.

    Readings: `items` are pieces (the sum of quantities); every refund event counts, on its own day
    and in its own currency, with its order_total.
    """
    sql = f"""
    with {EACH_ORDER},
    pieces as (
        select project, order_key, sum(quantity) as pieces
        from order_lines
        group by project, order_key
    ),
    money as (
        select
            day, project, country, currency, 1 as orders, order_total as revenue,
            order_shipping as shipping, order_tax as tax, order_discount as discount,
            pieces, 0 as refunds, 0.0::double as refunded
        from each_order left join pieces using (project, order_key)
        union all
        select day, project, country, currency, 0, 0, 0, 0, 0, 0, 1, order_total
        from each_event
        where event_type = 'refund'
    )
    select
        day, project, country, currency,
        sum(orders)::bigint as orders,
        coalesce(sum(revenue), 0) as revenue,
        coalesce(sum(shipping), 0) as shipping,
        coalesce(sum(tax), 0) as tax,
        coalesce(sum(discount), 0) as discount,
        coalesce(sum(pieces), 0)::bigint as items,
        sum(refunds)::bigint as refunds,
        coalesce(sum(refunded), 0) as refunded
    from money
    group by day, project, country, currency
    """
    return _asked(lake, sql, timezone=timezone)


def revenue_by_product(lake: duckdb.DuckDBPyConnection, timezone: str) -> pa.Table:
    """Readings: a line without price or quantity adds no revenue, a member that is null is
    'unknown', and an order that names a product twice is one of its orders."""
    sql = f"""
    with {EACH_ORDER}
    select
        day, project, country, currency, product_id, product_name, category,
        coalesce(sum(quantity), 0)::bigint as quantity,
        coalesce(sum(price * quantity), 0) as revenue,
        count(distinct order_key) as orders
    from order_lines
    group by day, project, country, currency, product_id, product_name, category
    """
    return _asked(lake, sql, timezone=timezone)


def top_pages(lake: duckdb.DuckDBPyConnection, timezone: str) -> pa.Table:
    """Readings: a view of no path is of no page; time is that of page views, of bots too; entries
    and exits stand at the day and country of their session."""
    sql = f"""
    with {EACH_SESSION},
    parts as (
        select
            day, project, country, path as page_path, 1 as views, time_on_page,
            0 as entries, 0 as exits
        from each_event
        where is_page_view
        union all
        select day, project, country, entry_page, 0, null, 1, 0 from each_session where not is_bot
        union all
        select day, project, country, exit_page, 0, null, 0, 1 from each_session where not is_bot
    )
    select
        day, project, country, page_path,
        sum(views)::bigint as views,
        coalesce(sum(time_on_page), 0) as time_on_page_s,
        count(time_on_page) as time_on_page_count,
        sum(entries)::bigint as entries,
        sum(exits)::bigint as exits
    from parts
    where page_path is not null
    group by day, project, country, page_path
    """
    return _asked(lake, sql, timezone=timezone)


def acquisition(lake: duckdb.DuckDBPyConnection, timezone: str) -> pa.Table:
    sql = f"""
    with {EACH_SESSION}
    select
        day, project, country, referrer, campaign_source, campaign_medium, campaign_name,
        count(*) as sessions,
        count(*) filter (is_bounce) as bounces,
        count(*) filter (is_converted) as converted
    from each_session
    where not is_bot
    group by day, project, country, referrer, campaign_source, campaign_medium, campaign_name
    """
    return _asked(lake, sql, timezone=timezone)


def searches(lake: duckdb.DuckDBPyConnection, timezone: str) -> pa.Table:
    """Readings: events of type search that have a query, which stands as it was sent."""
    sql = f"""
    with {EACH_EVENT}
    select day, project, country, query, count(*) as searches
    from each_event
    where event_type = 'search' and query is not null
    group by day, project, country, query
    """
    return _asked(lake, sql, timezone=timezone)


SAMPLES = f"""
{EACH_EVENT},
samples as (
    select
        day, project, country, metric, ms,
        case
            when path is null then '(none)'
            when path like '/%' then '/' || split_part(path, '/', 2)
            else path
        end as page_group
    from each_event unpivot (ms for metric in ({", ".join(METRICS)}))
    where not is_bot and ms >= 0
)
"""


def web_performance_bins(lake: duckdb.DuckDBPyConnection, timezone: str) -> pa.Table:
    sql = f"""
    with {SAMPLES}
    select
        day, project, country, page_group, metric,
        floor(ln(greatest(ms, 1)) / ln(1.05))::integer as bin,
        count(*) as samples
    from samples
    group by day, project, country, page_group, metric, bin
    """
    return _asked(lake, sql, timezone=timezone)


def web_performance(lake: duckdb.DuckDBPyConnection, timezone: str) -> pa.Table:
    """Exact percentiles: the smallest sample that at least that share does not exceed.

    A sample under a millisecond is a millisecond, as it is in the first bin.
    """
    sql = f"""
    with {SAMPLES}
    select
        day, project, country, page_group, metric,
        count(*) as samples,
        quantile_disc(greatest(ms, 1), 0.50) as p50_ms,
        quantile_disc(greatest(ms, 1), 0.75) as p75_ms,
        quantile_disc(greatest(ms, 1), 0.95) as p95_ms
    from samples
    group by day, project, country, page_group, metric
    """
    return _asked(lake, sql, timezone=timezone)


def data_quality(lake: duckdb.DuckDBPyConnection, timezone: str) -> pa.Table:
    """Readings: `accepted` are distinct events, so that accepted, repeat and rejected are all that
    came; an event counts once for a flag, however many columns have it; the flags `bot` and
    `unknown_type` stand among the flags too."""
    sql = f"""
    with {EACH_EVENT},
    flags as (
        select distinct event_key, received_day, project, split_part(flag, ':', 1) as flag
        from each_event, unnest(quality_flags) as flagged (flag)
    ),
    facts as (
        select received_day, project, 'accepted' as kind, '' as name, 1 as records from each_event
        union all
        select cast(timezone($timezone, received_at) as date), project_name, 'repeat', '', 1
        from arrivals where copy > 1
        union all
        select received_day, project, 'late', '', 1 from each_event where is_late
        union all
        select received_day, project, 'bot', '', 1 from each_event where is_bot
        union all
        select received_day, project, 'unknown_type', '', 1 from each_event where is_unknown_type
        union all
        select received_day, project, 'flag', flag, 1 from flags
        union all
        select
            cast(timezone($timezone, received_at) as date), coalesce(project, 'default'),
            'rejected', reason, records
        from rejected_events
    )
    select received_day as day, project, kind, name, sum(records)::bigint as records
    from facts
    group by day, project, kind, name
    """
    return _asked(lake, sql, timezone=timezone)


def unknown_types(lake: duckdb.DuckDBPyConnection, timezone: str) -> pa.Table:
    """Reading: on the report day of the event, not of its reception."""
    sql = f"""
    with {EACH_EVENT}
    select day, project, event_name, count(*) as events
    from each_event
    where is_unknown_type
    group by day, project, event_name
    """
    return _asked(lake, sql, timezone=timezone)


def pipeline_health(lake: duckdb.DuckDBPyConnection, timezone: str) -> pa.Table:
    """What the lake's rows tell of it: rows of each table, and records of both, over all hours.

    One commit brings records that became events and records that were rejected, so they are told
    apart by no table. Hours, files, bytes, loads and windows are no facts of the lake's Parquet.
    """
    sql = """
    select 'events' as name, count(*) as found from events
    union all
    select 'rejected_events', count(*) from rejected_events
    union all
    select 'records of both', (select count(*) from events) + coalesce(sum(records), 0)::bigint
    from rejected_events
    """
    return _asked(lake, sql)


def books(lake: duckdb.DuckDBPyConnection, timezone: str) -> pa.Table:
    """What each layer holds that has taken all of the lake, by the names that gold's books use."""
    sql = f"""
    with {ARRIVALS},
    counted as (
        select
            count(*) as rows,
            count(*) filter (copy = 1) as new,
            count(*) filter (copy > 1) as repeats,
            (select count(*) from rejected_events) as rejected
        from arrivals
    )
    select layer, measure, found
    from counted, lateral (values
        ('raw', 'events', rows),
        ('raw', 'rejected events', rejected),
        ('silver', 'rows of events', rows),
        ('silver', 'new events and repeats', rows),
        ('silver', 'rejected events', rejected),
        ('gold', 'events', new),
        ('gold', 'repeats', repeats)
    ) as lines (layer, measure, found)
    """
    return _asked(lake, sql)
