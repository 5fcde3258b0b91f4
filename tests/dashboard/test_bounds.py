"""However many names were sent, and however long: a page reads as many as it shows."""

from __future__ import annotations

from datetime import timedelta

import duckdb
import pytest
from tests.dashboard import sample_gold

from tidelake.dashboard.gold import Gold, open_gold
from tidelake.dashboard.pages import acquisition, overview, performance, quality, revenue
from tidelake.dashboard.period import LONGEST_TEXT

DAYS, NAMES = 3, 5_000
HOSTILE = """
insert into gold.acquisition
select $day, 'shop-eu', 'DE', repeat('x', 3000) || i, '', '', '', 1, 0, 0 from range($names) t(i);
insert into gold.revenue_by_day
select $day, 'shop-eu', 'DE', 'C' || i, 1, 1, 0, 0, 0, 1, 0, 0 from range($names) t(i);
insert into gold.searches
select $day, 'shop-eu', 'DE', i || repeat('x', 3000), 9 from range($names) t(i);
insert into gold.unknown_types
select $day, 'shop-eu', i || repeat('x', 3000), 9 from range($names) t(i);
insert into gold.web_performance_bins
select $day, 'shop-eu', 'DE', '/' || i, 'page_load_time', 150, 1 from range($names) t(i);
"""
QUERIES = {
    "sources by day": (acquisition.BY_DAY, DAYS * (acquisition.SOURCES + 1)),
    "sources": (acquisition.REFERRERS, 12),
    "searches": (acquisition.SEARCHES, 8),
    "currencies": (revenue.CURRENCIES, revenue.MOST_CURRENCIES),
    "revenue": (overview.REVENUE, 10 * overview.CURRENCIES),
    "unknown types": (quality.UNKNOWN, 10),
    "pages": (performance.percentiles("page_group", most=performance.LINES), performance.LINES),
}


@pytest.fixture(scope="module")
def gold(tmp_path_factory: pytest.TempPathFactory) -> Gold:
    path = sample_gold.build(tmp_path_factory.mktemp("gold") / "gold-00000001.duckdb", days=DAYS)
    with duckdb.connect(str(path)) as connection:
        day = f"date '{sample_gold.LAST_DAY}'"
        connection.execute(HOSTILE.replace("$day", day).replace("$names", str(NAMES)))
    return open_gold(path)


@pytest.mark.parametrize("name", QUERIES)
def test_a_query_gives_no_more_than_a_page_shows(gold: Gold, name: str) -> None:
    sql, most = QUERIES[name]
    last = sample_gold.LAST_DAY
    days = {"first": last - timedelta(days=DAYS - 1), "last": last, "project": "", "country": ""}

    rows = gold.rows(sql, days)

    assert 0 < len(rows) <= most
    assert all(len(str(row.get("label", ""))) <= LONGEST_TEXT + 1 for row in rows)


def test_sources_that_are_not_named_are_added_up_and_none_is_lost(gold: Gold) -> None:
    last = sample_gold.LAST_DAY
    day = {"first": last, "last": last, "project": "", "country": ""}

    shown = sum(row["sessions"] for row in gold.rows(acquisition.BY_DAY, day))

    assert shown == gold.one(acquisition.TOTALS, day)["sessions"]
