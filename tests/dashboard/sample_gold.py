"""A gold file as the transform publishes it, filled with believable figures of a shop.

Three projects, twenty countries, sixty days, three currencies. The figures come from hashes of
their keys, so that the same call gives the same file; they agree with each other as real ones do:
the first step of the funnel is the sessions, the books balance.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb

LAST_DAY = date(2026, 11, 24)
DAYS = 60

SCHEMA = """
create schema gold;
create table gold.publication(version bigint, from_load_id bigint, to_load_id bigint,
    published_at timestamptz, timezone text, trouble text);
create table gold.daily_traffic(day date, project text, country text, events bigint,
    page_views bigint, visitors bigint, new_visitors bigint, bot_events bigint);
create table gold.events_by_hour(hour timestamp, project text, country text, events bigint);
create table gold.engagement_by_type(day date, project text, country text, event_type text,
    events bigint, scroll_depth_sum double, scroll_depth_count bigint, time_on_page_s double,
    time_on_page_count bigint, interactions bigint, form_submissions bigint, video_views bigint,
    downloads bigint);
create table gold.sessions_by_day(day date, project text, country text, device_type text,
    sessions bigint, bot_sessions bigint, bounces bigint, page_views bigint, events bigint,
    duration_s double, converted bigint);
create table gold.funnel(day date, project text, country text, step integer, step_name text,
    sessions bigint);
create table gold.retention(project text, country text, cohort_week date, weeks_after integer,
    visitors bigint);
create table gold.revenue_by_day(day date, project text, country text, currency text,
    orders bigint, revenue double, shipping double, tax double, discount double, items bigint,
    refunds bigint, refunded double);
create table gold.revenue_by_product(day date, project text, country text, currency text,
    product_id text, product_name text, category text, quantity bigint, revenue double,
    orders bigint);
create table gold.top_pages(day date, project text, country text, page_path text, views bigint,
    time_on_page_s double, time_on_page_count bigint, entries bigint, exits bigint);
create table gold.acquisition(day date, project text, country text, referrer text,
    campaign_source text, campaign_medium text, campaign_name text, sessions bigint,
    bounces bigint, converted bigint);
create table gold.searches(day date, project text, country text, query text, searches bigint);
create table gold.web_performance_bins(day date, project text, country text, page_group text,
    metric text, bin integer, samples bigint);
create view gold.web_performance as
    with running as (
        select *, pow(1.05, bin + 0.5) as ms,
            sum(samples) over (partition by day, project, country, page_group, metric order by bin)
                as reached,
            sum(samples) over (partition by day, project, country, page_group, metric) as total
        from gold.web_performance_bins
    )
    select day, project, country, page_group, metric, sum(samples) as samples,
        min(ms) filter (reached >= 0.50 * total) as p50_ms,
        min(ms) filter (reached >= 0.75 * total) as p75_ms,
        min(ms) filter (reached >= 0.95 * total) as p95_ms
    from running group by all;
create table gold.data_quality(day date, project text, kind text, name text, records bigint);
create table gold.unknown_types(day date, project text, event_name text, events bigint);
create table gold.pipeline_health(hour timestamptz, table_name text, commits bigint, files bigint,
    records bigint, bytes bigint, raw_bytes bigint, loads bigint, loaded_rows bigint,
    set_aside bigint, windows bigint, failed_windows bigint, window_s double);
create table gold.books(layer text, measure text, expected bigint, found bigint,
    difference bigint, as_of timestamptz);
"""

FILL = """
create macro noise(key) as (hash(key) % 10000) / 10000.0;

create temp table cell as
with project(project, weight, growth) as (
    values ('shop-eu', 1.0, 0.35), ('shop-us', 0.7, 0.6), ('app', 0.45, 1.1)
), country(country, share, currency) as (
    values ('DE', 1.0, 'EUR'), ('US', 0.92, 'USD'), ('GB', 0.71, 'GBP'), ('FR', 0.62, 'EUR'),
        ('NL', 0.44, 'EUR'), ('ES', 0.41, 'EUR'), ('IT', 0.4, 'EUR'), ('CA', 0.36, 'USD'),
        ('PL', 0.31, 'EUR'), ('AT', 0.27, 'EUR'), ('CH', 0.24, 'EUR'), ('SE', 0.22, 'EUR'),
        ('BR', 0.21, 'USD'), ('AU', 0.2, 'USD'), ('IN', 0.19, 'USD'), ('JP', 0.16, 'USD'),
        ('IE', 0.13, 'EUR'), ('DK', 0.12, 'EUR'), ('PT', 0.1, 'EUR'), ('unknown', 0.05, 'USD')
), day(day, age) as (
    select $last_day - (n * interval '1 day')::interval, n from range($days) as t(n)
)
select day::date as day, project, country, currency,
    greatest(1, round(230 * weight * share
        * (1 + growth * ($days - age) / $days)
        * case dayofweek(day) when 0 then 0.8 when 6 then 0.76 when 1 then 1.06 else 1.0 end
        * case when age = 0 then 0.47 else 1.0 end
        * case when age between 11 and 13 then 1.28 else 1.0 end
        * (0.88 + 0.24 * noise((day, project, country)))))::bigint as visitors
from project cross join country cross join day;

create temp table visit as
select day, project, country, currency, device_type,
    greatest(1, round(visitors * share * (1.2 + 0.1 * noise((day, country, device_type)))))::bigint
        as sessions
from cell cross join (values ('mobile', 0.55), ('desktop', 0.38), ('tablet', 0.07))
    as d(device_type, share);

insert into gold.sessions_by_day
select day, project, country, device_type, sessions, round(sessions * 0.03)::bigint,
    round(sessions * (0.36 + 0.06 * noise((day, device_type, 'b'))))::bigint,
    round(sessions * 4.1)::bigint, round(sessions * 9.3)::bigint,
    sessions * (180 + 60 * noise((day, country, 's'))),
    floor(sessions * case device_type when 'desktop' then 0.041 else 0.024 end
        + noise((day, project, country, device_type, 'c')))::bigint
from visit;

create temp table session_day as
select day, project, country, any_value(currency) as currency, sum(sessions)::bigint as sessions
from visit group by all;

insert into gold.daily_traffic
select day, project, country, round(sessions * 9.6)::bigint, round(sessions * 4.1)::bigint,
    visitors, round(visitors * (0.42 + 0.1 * noise((day, country, 'n'))))::bigint,
    round(sessions * 0.3)::bigint
from session_day join cell using (day, project, country);

insert into gold.events_by_hour
select day + hour * interval '1 hour', project, country,
    round(events * weight / sum(weight) over (partition by day, project, country))::bigint
from gold.daily_traffic,
    lateral (select h as hour, 1.15 + sin((h - 9) * pi() / 12) as weight from range(24) as t(h))
where day < $last_day or hour < 11;

insert into gold.engagement_by_type
select day, project, country, event_type, round(events * share)::bigint,
    case when page then round(events * share) * 58.0 else 0 end,
    case when page then round(events * share)::bigint else 0 end,
    case when page then round(events * share) * 41.5 else 0 end,
    case when page then round(events * share)::bigint else 0 end,
    round(events * share * 2.1)::bigint,
    case when event_type = 'form_submission' then round(events * share)::bigint else 0 end,
    case when page then round(events * share * 0.02)::bigint else 0 end,
    case when page then round(events * share * 0.01)::bigint else 0 end
from gold.daily_traffic cross join (values ('page_view', 0.43, true), ('product_view', 0.21, true),
    ('click', 0.15, false), ('search', 0.06, false), ('cart_update', 0.06, false),
    ('checkout_start', 0.025, false), ('purchase', 0.012, false), ('user_login', 0.03, false),
    ('form_submission', 0.015, false), ('video_play', 0.008, false)) as t(event_type, share, page);

insert into gold.funnel
select day, project, country, step, step_name,
    case step when 1 then sessions when 5 then converted
        else greatest(converted, round(sessions * share
            * (0.94 + 0.12 * noise((day, country, step))))::bigint) end
from (select day, project, country, sum(sessions)::bigint as sessions,
        sum(converted)::bigint as converted from gold.sessions_by_day group by all)
    cross join (values (1, 'Session', 1.0), (2, 'Product view', 0.55), (3, 'Cart', 0.17),
        (4, 'Checkout', 0.082), (5, 'Purchase', 0.03)) as f(step, step_name, share);

insert into gold.retention
with cohort as (
    select project, country, date_trunc('week', day)::date as cohort_week,
        sum(new_visitors)::bigint as size
    from gold.daily_traffic group by all
)
select project, country, cohort_week, weeks_after,
    case weeks_after when 0 then size else round(size * (0.31 / pow(weeks_after, 0.62))
        * (0.85 + 0.3 * noise((project, country, cohort_week, weeks_after))))::bigint end
from cohort cross join range(9) as w(weeks_after)
where cohort_week + weeks_after * interval '7 days' <= $last_day;

insert into gold.revenue_by_day
select day, project, country, currency, orders, orders * basket, orders * 4.9,
    orders * basket * 0.16, orders * basket * 0.05, round(orders * 2.3)::bigint,
    floor(orders * 0.05 + noise((day, project, country, 'f')))::bigint,
    floor(orders * 0.05 + noise((day, project, country, 'f'))) * basket * 0.9
from (select day, project, country, currency, sum(converted)::bigint as orders,
        61.35 + 18 * noise((day, project, country, 'r')) as basket
    from gold.sessions_by_day join session_day using (day, project, country) group by all)
where orders > 0;

insert into gold.revenue_by_product
select day, project, country, currency, product_id, product_name, category,
    greatest(1, round(items * share))::bigint, greatest(1, round(items * share)) * price,
    greatest(1, round(orders * share))::bigint
from gold.revenue_by_day cross join (values
    ('p-101', 'Trail running shoe', 'Footwear', 0.17, 119.0),
    ('p-102', 'Merino base layer', 'Clothing', 0.15, 69.5),
    ('p-103', 'Rain jacket, 3 layers', 'Clothing', 0.11, 189.0),
    ('p-104', 'Insulated bottle 0.75 l', 'Accessories', 0.14, 29.9),
    ('p-105', 'Head torch 400 lm', 'Accessories', 0.09, 44.9),
    ('p-106', 'Daypack 24 l', 'Packs', 0.1, 89.0),
    ('p-107', 'Two-person tent', 'Camping', 0.04, 319.0),
    ('p-108', 'Down sleeping bag', 'Camping', 0.05, 249.0),
    ('p-109', 'Hiking socks, pair', 'Clothing', 0.12, 16.9),
    ('p-110', 'Gas cooker', 'Camping', 0.03, 54.0))
    as p(product_id, product_name, category, share, price)
where noise((day, project, country, product_id)) < share * 5;

insert into gold.top_pages
select day, project, country, page_path, round(page_views * share)::bigint,
    round(page_views * share) * seconds, round(page_views * share)::bigint,
    round(sessions * share * entry)::bigint, round(sessions * share * leave)::bigint
from gold.daily_traffic join session_day using (day, project, country) cross join (values
    ('/', 0.21, 24.0, 2.1, 0.9), ('/products', 0.16, 38.0, 0.9, 0.7),
    ('/search', 0.09, 21.0, 0.3, 0.4),
    ('/products/trail-running-shoe', 0.08, 74.0, 1.4, 1.2),
    ('/products/rain-jacket', 0.06, 81.0, 1.1, 1.1), ('/cart', 0.06, 33.0, 0.1, 1.6),
    ('/checkout', 0.03, 96.0, 0.0, 1.4), ('/sale', 0.06, 44.0, 1.7, 0.9),
    ('/guides/choosing-a-tent-for-two-people-in-all-seasons', 0.04, 132.0, 1.9, 1.7),
    ('/account/orders', 0.03, 28.0, 0.4, 0.8), ('/help/returns', 0.02, 52.0, 0.6, 1.3))
    as t(page_path, share, seconds, entry, leave);

insert into gold.acquisition
select day, project, country, referrer, source, medium, campaign, n,
    least(n, round(n * bounce))::bigint, least(n, floor(n * conversion * 0.9
        + noise((day, country, referrer, campaign))))::bigint
from (select day, project, country, sessions, referrer, source, medium, campaign, bounce,
        conversion,
        case when referrer = 'direct' and campaign = '' then sessions
            - sum(case when referrer = 'direct' and campaign = '' then 0
                else round(sessions * share) end) over (partition by day, project, country)
            else round(sessions * share) end::bigint as n
    from session_day cross join (values
    ('direct', '', '', '', 0.3, 0.35, 0.035), ('google.com', '', '', '', 0.26, 0.41, 0.028),
    ('google.com', 'google', 'cpc', 'autumn-sale', 0.11, 0.44, 0.036),
    ('instagram.com', 'instagram', 'social', 'autumn-sale', 0.07, 0.55, 0.014),
    ('direct', 'newsletter', 'email', 'weekly-2026-11', 0.09, 0.27, 0.052),
    ('bing.com', '', '', '', 0.05, 0.4, 0.027), ('reddit.com', '', '', '', 0.04, 0.58, 0.01),
    ('youtube.com', 'youtube', 'video', 'gear-reviews', 0.04, 0.5, 0.016),
    ('outdoor-magazine.example', '', '', '', 0.02, 0.37, 0.03))
    as a(referrer, source, medium, campaign, share, bounce, conversion))
where n > 0;

insert into gold.searches
select day, project, country, query, greatest(1, round(sessions * share))::bigint
from session_day cross join (values ('rain jacket', 0.05), ('trail shoes', 0.045), ('tent', 0.03),
    ('sleeping bag', 0.024), ('gift card', 0.016), ('merino', 0.014), ('head torch', 0.01),
    ('kids backpack', 0.006)) as q(query, share);

insert into gold.web_performance_bins
with metric(metric, median_ms) as (
    values ('page_load_time', 1850.0), ('first_contentful_paint', 980.0),
        ('dom_interactive', 1320.0), ('network_latency', 62.0)
), page(page_group, factor, share) as (
    values ('/', 0.85, 0.25), ('/products', 1.1, 0.4), ('/checkout', 1.25, 0.1),
        ('/search', 1.4, 0.2), ('(none)', 1.0, 0.05)
), place(offset_bins, density) as (
    values (-18, 0.06), (-9, 0.16), (-4, 0.2), (0, 0.22), (5, 0.15), (11, 0.1),
        (19, 0.07), (30, 0.04)
)
select day, project, country, page_group, metric,
    floor(ln(median_ms * factor * (0.8 + 0.5 * noise(country))
        * case when day > $last_day - 9 and page_group = '/search' then 1.35 else 1 end
        * (0.95 + 0.1 * noise((day, page_group)))) / ln(1.05))::int + offset_bins,
    greatest(1, round(page_views * share * density))::bigint
from gold.daily_traffic cross join metric cross join page cross join place;

insert into gold.data_quality
with total as (
    select day, project, sum(events)::bigint as events from gold.daily_traffic group by all
)
select day, project, kind, name, round(events * share
    * (0.7 + 0.6 * noise((day, project, kind, name))))::bigint as records
from total cross join (values ('repeat', '', 0.011), ('late', '', 0.014), ('bot', '', 0.031),
    ('unknown_type', '', 0.006), ('flag', 'wrong_type', 0.004), ('flag', 'clock_corrected', 0.009),
    ('flag', 'no_timestamp', 0.001), ('flag', 'replaced_text', 0.0006),
    ('rejected', 'missing_field', 0.0024), ('rejected', 'not_json', 0.0011),
    ('rejected', 'bad_timestamp', 0.0009), ('rejected', 'too_large', 0.0002))
    as q(kind, name, share)
where round(events * share) > 0
union all
select day, project, 'accepted', '', round(events * 1.011)::bigint from total;

insert into gold.unknown_types
select day, project, event_name, greatest(1, round(records * share))::bigint
from gold.data_quality cross join (values ('Wishlist Opened', 0.5), ('gift_wrap_chosen', 0.3),
    ('beta.size_finder', 0.2)) as t(event_name, share)
where kind = 'unknown_type';

insert into gold.pipeline_health
select hour::timestamptz, table_name, 3100 + (400 * noise((hour, table_name)))::bigint,
    3300 + (400 * noise((hour, table_name)))::bigint, records,
    records * 96, records * 910, 310, records, (noise((hour, 'aside')) > 0.97)::bigint,
    case when table_name = 'events' then 690 else 0 end,
    case when table_name = 'events' and noise((hour, 'failed')) > 0.985 then 1 else 0 end,
    case when table_name = 'events' then 690 * 1.4 else 0 end
from (select hour, table_name, round(events * share)::bigint as records
    from (select hour, sum(events) as events from gold.events_by_hour group by all)
        cross join (values ('events', 1.0), ('rejected_events', 0.0046)) as t(table_name, share))
where hour >= $last_day - 29;

insert into gold.books
with total as (select sum(events)::bigint as events from gold.daily_traffic)
select layer, measure, n, n, 0, $published_at
from total cross join lateral (values
    (1, 'lake', 'records accepted = events and rejects', round(events * 1.0157)::bigint),
    (2, 'raw', 'events of the lake = rows loaded and set aside', round(events * 1.011)::bigint),
    (3, 'silver', 'raw rows = new events and repeats', round(events * 1.011)::bigint),
    (4, 'gold', 'events of silver = events of the daily traffic', events))
    as b(place, layer, measure, n)
order by place;

insert into gold.publication
values ($version, $to_load_id - 4, $to_load_id, $published_at, $timezone, $trouble);
"""


def build(
    path: Path,
    *,
    version: int = 1,
    last_day: date = LAST_DAY,
    days: int = DAYS,
    published_at: datetime = datetime(2026, 11, 24, 11, 0, tzinfo=UTC),
    to_load_id: int = 1000,
    timezone: str = "UTC",
    trouble: str = "",
) -> Path:
    """Writes the gold file at `path`, with figures of the days up to `last_day`."""
    given = {
        "last_day": f"date '{last_day}'",
        "days": str(days),
        "published_at": f"timestamptz '{published_at.isoformat()}'",
        "version": str(version),
        "to_load_id": str(to_load_id),
        "timezone": f"'{timezone}'",
        "trouble": "'" + trouble.replace("'", "''") + "'",
    }
    sql = FILL
    for name, literal in sorted(given.items(), key=lambda item: -len(item[0])):
        sql = sql.replace(f"${name}", literal)
    with duckdb.connect(str(path)) as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute(SCHEMA + sql)
    return path


def empty(path: Path, *, version: int = 1, published_at: datetime | None = None) -> Path:
    """A gold file without a single event, as the first cycle of a new home makes it."""
    with duckdb.connect(str(path)) as connection:
        connection.execute(SCHEMA)
        moment = published_at or datetime.now(UTC)
        connection.execute(
            "insert into gold.publication values (?, 0, 0, ?, 'UTC', '')", [version, moment]
        )
    return path


def publish(home: Path, version: int = 1, **given: object) -> Path:
    """Builds a version in a home and points `current` at it, as the transform does."""
    folder = home / "gold"
    folder.mkdir(parents=True, exist_ok=True)
    name = f"gold-{version:08d}.duckdb"
    build(folder / name, version=version, **given)  # type: ignore[arg-type]  # passed on as they are
    point(home, name)
    return folder / name


def point(home: Path, name: str) -> None:
    """Makes the pointer name a file, at once."""
    fresh = home / "gold" / "current.new"
    fresh.write_text(name, "utf-8")
    fresh.replace(home / "gold" / "current")


def days_back(count: int, last_day: date = LAST_DAY) -> date:
    """First day of a range of so many days that ends on the last one."""
    return last_day - timedelta(days=count - 1)
