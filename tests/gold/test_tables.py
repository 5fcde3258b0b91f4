"""Gold's tables are those that dashboard, report and checks rely on, from the first window on."""

from __future__ import annotations

import re

import duckdb
from tests.gold.stand import NOON, Stand

COLUMNS = """
publication(version bigint, from_load_id bigint, to_load_id bigint, published_at timestamp with time zone, timezone varchar, trouble varchar)
daily_traffic(day date, project varchar, country varchar, events bigint, page_views bigint, visitors bigint, new_visitors bigint, bot_events bigint)
events_by_hour(hour timestamp, project varchar, country varchar, events bigint)
engagement_by_type(day date, project varchar, country varchar, event_type varchar, events bigint, scroll_depth_sum double, scroll_depth_count bigint, time_on_page_s double, time_on_page_count bigint, interactions bigint, form_submissions bigint, video_views bigint, downloads bigint)
sessions_by_day(day date, project varchar, country varchar, device_type varchar, sessions bigint, bot_sessions bigint, bounces bigint, page_views bigint, events bigint, duration_s double, converted bigint)
funnel(day date, project varchar, country varchar, step integer, step_name varchar, sessions bigint)
retention(project varchar, country varchar, cohort_week date, weeks_after integer, visitors bigint)
revenue_by_day(day date, project varchar, country varchar, currency varchar, orders bigint, revenue double, shipping double, tax double, discount double, items bigint, refunds bigint, refunded double)
revenue_by_product(day date, project varchar, country varchar, currency varchar, product_id varchar, product_name varchar, category varchar, quantity bigint, revenue double, orders bigint)
top_pages(day date, project varchar, country varchar, page_path varchar, views bigint, time_on_page_s double, time_on_page_count bigint, entries bigint, exits bigint)
acquisition(day date, project varchar, country varchar, referrer varchar, campaign_source varchar, campaign_medium varchar, campaign_name varchar, sessions bigint, bounces bigint, converted bigint)
searches(day date, project varchar, country varchar, query varchar, searches bigint)
web_performance_bins(day date, project varchar, country varchar, page_group varchar, metric varchar, bin integer, samples bigint)
web_performance(day date, project varchar, country varchar, page_group varchar, metric varchar, samples bigint, p50_ms double, p75_ms double, p95_ms double)
data_quality(day date, project varchar, kind varchar, name varchar, records bigint)
unknown_types(day date, project varchar, event_name varchar, events bigint)
pipeline_health(hour timestamp with time zone, table_name varchar, commits bigint, files bigint, records bigint, bytes bigint, raw_bytes bigint, loads bigint, loaded_rows bigint, set_aside bigint, windows bigint, failed_windows bigint, window_s double)
books(layer varchar, measure varchar, expected bigint, found bigint, difference bigint, as_of timestamp with time zone)
""".strip()  # noqa: E501 — one table a line, as it is promised

TABLES = [re.split(r"[(]", line)[0] for line in COLUMNS.splitlines()]


def columns_of(stand: Stand) -> dict[str, str]:
    found: dict[str, list[str]] = {}
    for table, name, kind in stand.rows(
        "select table_name, column_name, lower(data_type) from duckdb_columns()"
        " where schema_name = 'gold' and not internal order by table_name, column_index"
    ):
        found.setdefault(table, []).append(f"{name} {kind}")
    return {table: f"{table}({', '.join(columns)})" for table, columns in found.items()}


def test_a_first_window_without_rows_makes_every_table_with_its_columns_and_nothing_else(
    stand: Stand,
) -> None:
    stand.take(0, 0)
    assert sorted(columns_of(stand).values()) == sorted(COLUMNS.splitlines())
    for table in set(TABLES) - {"publication", "books"}:
        assert stand.rows(f"from {table}") == []
    others = "select schema_name from duckdb_tables() where schema_name <> 'gold' and not internal"
    assert stand.rows(others) == []


def test_windows_without_news_change_nothing(stand: Stand) -> None:
    stand.put("events", 1, {}, times=3)
    stand.put(
        "session_changes", 1, {"events": 3, "page_views": 3, "entry_page": "/", "exit_page": "/"}
    )
    stand.take(0, 1)
    before = {table: stand.rows(f"from {table} order by all") for table in TABLES}
    stand.take(1, 2)
    changed = {"publication"}
    for table in set(TABLES) - changed:
        assert stand.rows(f"from {table} order by all") == before[table]


def test_the_file_says_what_it_is(stand: Stand) -> None:
    stand.take(
        3, 5, version=12, timezone="Asia/Kolkata", trouble="the model x failed: it's 'off' — ü"
    )
    assert stand.rows("from publication") == [
        (12, 3, 5, NOON, "Asia/Kolkata", "the model x failed: it's 'off' — ü")
    ]


def test_a_published_file_is_read_under_any_name(stand: Stand) -> None:
    stand.put("web_performance", 1, {"page_load_time": 100.0})
    stand.take(0, 1)
    published = stand.file.with_name("gold-00000012.duckdb")
    stand.file.rename(published)
    with duckdb.connect() as connection:
        for alias in ("g", "gold", "work"):
            connection.execute(f"attach '{published}' as {alias} (read_only)")
            query = f"select samples from {alias}.gold.web_performance"
            assert connection.execute(query).fetchall() == [(1,)]
            connection.execute(f"detach {alias}")


def test_models_take_no_window_but_the_one_they_are_given(stand: Stand) -> None:
    for load_id in (1, 2, 3, 4):
        stand.put("events", load_id, {}, times=load_id)
    stand.take(1, 3)
    assert stand.rows("select events from daily_traffic") == [5]
