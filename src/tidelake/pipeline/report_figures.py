"""What a report says, asked of the published gold: one query a table, all with the same filters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import dropwhile
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from tidelake.dashboard.period import Filters
from tidelake.dashboard.period import Period as Days
from tidelake.pipeline.report_period import Period
from tidelake.transform.workfile import Standing

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

WHERE = "day between $first and $last and ($project = '' or project = $project)"
HOURS = WHERE.replace("day ", "hour::date ", 1)
LONGEST = 10  # lines of a list

TRAFFIC = f"""
select coalesce(sum(events), 0)::bigint as events,
    coalesce(sum(page_views), 0)::bigint as page_views,
    coalesce(sum(visitors), 0)::bigint as visitor_days,
    coalesce(sum(new_visitors), 0)::bigint as new_visitors,
    coalesce(sum(bot_events), 0)::bigint as bot_events
from daily_traffic where {WHERE}
"""
SESSIONS = f"""
select coalesce(sum(sessions), 0)::bigint as sessions, coalesce(sum(bounces), 0)::bigint as bounces,
    coalesce(sum(converted), 0)::bigint as converted,
    coalesce(sum(duration_s), 0)::double as duration_s
from sessions_by_day where {WHERE}
"""
PERCENTILES = f"""
with bins as (
    select metric, bin, sum(samples) as samples
    from web_performance_bins where {WHERE} group by all
),
counted as (
    select metric, bin, sum(samples) over (partition by metric order by bin) as up_to,
        sum(samples) over (partition by metric) as samples
    from bins
)
select metric, max(samples)::bigint as samples,
    min(pow(1.05, bin + 0.5)) filter (where up_to >= 0.50 * samples) as p50_ms,
    min(pow(1.05, bin + 0.5)) filter (where up_to >= 0.75 * samples) as p75_ms,
    min(pow(1.05, bin + 0.5)) filter (where up_to >= 0.95 * samples) as p95_ms
from counted group by metric order by metric
"""

#: Name of each exported table, and the query that gives it.
TABLES: Mapping[str, str] = {
    "traffic_by_day": f"""
        select day, sum(events)::bigint as events, sum(page_views)::bigint as page_views,
            sum(visitors)::bigint as visitors, sum(new_visitors)::bigint as new_visitors,
            sum(bot_events)::bigint as bot_events
        from daily_traffic where {WHERE} group by day order by day""",
    "events_by_hour": f"""
        select hour, sum(events)::bigint as events
        from events_by_hour where {HOURS} group by hour order by hour""",
    "sessions_by_day": f"""
        select day, sum(sessions)::bigint as sessions, sum(bounces)::bigint as bounces,
            sum(converted)::bigint as converted, sum(duration_s)::double as duration_s
        from sessions_by_day where {WHERE} group by day order by day""",
    "funnel": f"""
        select step, step_name, sum(sessions)::bigint as sessions
        from funnel where {WHERE} group by all order by step""",
    "revenue": f"""
        select currency, sum(orders)::bigint as orders, sum(revenue)::double as revenue,
            sum(shipping)::double as shipping, sum(tax)::double as tax,
            sum(discount)::double as discount, sum(items)::bigint as items,
            sum(refunds)::bigint as refunds, sum(refunded)::double as refunded
        from revenue_by_day where {WHERE} group by currency order by orders desc, currency""",
    "products": f"""
        select currency, product_id, product_name, category, sum(quantity)::bigint as quantity,
            sum(revenue)::double as revenue, sum(orders)::bigint as orders
        from revenue_by_product where {WHERE}
        group by all order by revenue desc, product_id, currency""",
    "pages": f"""
        select page_path, sum(views)::bigint as views, sum(entries)::bigint as entries,
            sum(exits)::bigint as exits,
            sum(time_on_page_s) / nullif(sum(time_on_page_count), 0) as average_time_s
        from top_pages where {WHERE} group by page_path order by views desc, page_path""",
    "countries": f"""
        select country, sum(visitors)::bigint as visitor_days, sum(events)::bigint as events
        from daily_traffic where {WHERE}
        group by country order by visitor_days desc, country""",
    "acquisition": f"""
        select referrer, campaign_source, campaign_medium, campaign_name,
            sum(sessions)::bigint as sessions, sum(bounces)::bigint as bounces,
            sum(converted)::bigint as converted
        from acquisition where {WHERE} group by all order by sessions desc, 1, 2, 3, 4""",
    "searches": f"""
        select query, sum(searches)::bigint as searches
        from searches where {WHERE} group by query order by searches desc, query""",
    "performance": PERCENTILES,
    "data_quality": f"""
        select kind, name, sum(records)::bigint as records
        from data_quality where {WHERE} group by all order by kind, records desc, name""",
    "books": """
        select layer, measure, expected, found, difference
        from books order by list_position(['raw', 'silver', 'gold'], layer), measure""",
}
TREND = """
select days.day::date as day, coalesce(sum(traffic.visitors), 0)::bigint as visitors
from generate_series($first::timestamp, $last::timestamp, interval '1 day') as days (day)
left join daily_traffic as traffic
    on traffic.day = days.day::date and ($project = '' or traffic.project = $project)
group by all order by 1
"""
PROJECTS = "select distinct project from daily_traffic order by 1"
FIRST_DAY = "select min(day) from daily_traffic"
LAST_DAY = "select max(day) from daily_traffic where ($project = '' or project = $project)"


@dataclass(frozen=True, slots=True)
class Measures:
    """What is compared, of some days."""

    sums: Mapping[str, float]
    revenue: Mapping[str, float]  # by currency
    p75_ms: Mapping[str, float]  # by metric of web performance


NOTHING = Measures({}, {}, {})


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything that a report shows.

    Changes are those from `before` to `over`: the days that are over, and as many of the period
    before; both are empty where there is nothing to compare (`dashboard.period`).
    """

    gold: Standing
    period: Period
    filters: Filters
    sums: Mapping[str, float]
    over: Measures
    before: Measures
    tables: Mapping[str, pa.Table]
    trend: Sequence[tuple[date, int]]  # visitors of each day

    @property
    def project(self) -> str:
        return self.filters.project

    @property
    def title(self) -> str:
        """The period for people, with a word where it is not over."""
        return self.period.title + (", so far" if self.filters.unfinished else "")

    def rows(self, table: str, most: int | None = LONGEST) -> list[dict[str, Any]]:
        """The first rows of a table."""
        found: list[dict[str, Any]] = self.tables[table].slice(0, most).to_pylist()
        return found


def figures(
    connection: duckdb.DuckDBPyConnection, gold: Standing, period: Period, project: str
) -> Figures:
    """Asks gold, whose tables have no prefix in `connection`."""
    filters = Filters(
        Days(period.first, period.last),
        gold.published_at.astimezone(ZoneInfo(gold.timezone)).replace(tzinfo=None),
        project,
        known_from=first_day(connection),
    )
    now, (first, last) = _values(filters), period.trend()
    trend = {"first": first, "last": max(min(last, filters.today), first)}
    compared = filters.before is not None
    return Figures(
        gold=gold,
        period=period,
        filters=filters,
        sums=_sums(connection, filters),
        over=_measures(connection, filters.over if compared else None),
        before=_measures(connection, filters.before),
        tables={name: _table(connection, sql, now) for name, sql in TABLES.items()},
        trend=_trend(connection, {**now, **trend}),
    )


def _measures(connection: duckdb.DuckDBPyConnection, filters: Filters | None) -> Measures:
    if filters is None:
        return NOTHING
    values = _values(filters)
    return Measures(
        sums=_sums(connection, filters),
        revenue=_pairs(connection, TABLES["revenue"], values, "currency", "revenue"),
        p75_ms=_pairs(connection, PERCENTILES, values, "metric", "p75_ms"),
    )


def _trend(
    connection: duckdb.DuckDBPyConnection, values: Mapping[str, Any]
) -> list[tuple[date, int]]:
    """Visitors day by day, from the first day that had any."""
    rows = _table(connection, TREND, values).to_pylist()
    days = [(row["day"], row["visitors"]) for row in rows]
    return list(dropwhile(lambda day: not day[1], days))


def last_day(connection: duckdb.DuckDBPyConnection, project: str) -> date | None:
    row = connection.execute(LAST_DAY, {"project": project}).fetchone()
    return row[0] if row else None


def first_day(connection: duckdb.DuckDBPyConnection) -> date | None:
    row = connection.execute(FIRST_DAY).fetchone()
    return row[0] if row else None


def projects(connection: duckdb.DuckDBPyConnection) -> list[str]:
    return [name for (name,) in connection.execute(PROJECTS).fetchall()]


def _values(filters: Filters) -> dict[str, Any]:
    days = filters.period
    return {"first": days.first, "last": days.last, "project": filters.project}


def _sums(connection: duckdb.DuckDBPyConnection, filters: Filters) -> dict[str, float]:
    values = _values(filters)
    (traffic,) = _table(connection, TRAFFIC, values).to_pylist()
    (sessions,) = _table(connection, SESSIONS, values).to_pylist()
    return {**traffic, **sessions, "days": filters.known_days}


def _pairs(
    connection: duckdb.DuckDBPyConnection,
    sql: str,
    values: Mapping[str, Any],
    key: str,
    value: str,
) -> dict[str, float]:
    return {row[key]: row[value] for row in _table(connection, sql, values).to_pylist()}


def _table(connection: duckdb.DuckDBPyConnection, sql: str, values: Mapping[str, Any]) -> pa.Table:
    used = {name: value for name, value in values.items() if f"${name}" in sql}
    return connection.execute(sql, used).to_arrow_table()
