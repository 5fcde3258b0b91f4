"""The comparison sees what it should see, and nothing else."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import pytest
from tests.gold.independent import queries
from tests.gold.independent.__main__ import table
from tests.gold.independent.compare import QUESTIONS, Comparison, compare
from tests.gold.independent.handmade import HandMade

BERLIN = "Europe/Berlin"
LINE = (
    '[{"product_id":"cup","sku":null,"name":"Cup","category":"Kitchen","price":0.1,"quantity":3}]'
)


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> duckdb.DuckDBPyConnection:
    made = HandMade()
    for number in range(9):
        made.event(
            f"a{number}",
            f"2026-11-02 1{number}:00",
            user_id=f"u{number % 3}",
            page_path="/p",
            performance_page_load_time=100.0 + 300 * number,
            engagement_time_on_page=0.1 * number,
        )
    made.event("b", "2026-11-02 10:00", "search", user_id="u1", search_query="cup")
    made.event(
        "c",
        "2026-11-02 10:00",
        "purchase",
        user_id="u1",
        order_id="1",
        order_total=0.3,
        items=LINE,
    )
    made.event("d", "2026-11-02 10:00", "ufo", user_id="u1", quality_flags=["unknown_type"])
    made.reject("2026-11-02 10:00", "not_json")
    return made.lake(tmp_path_factory.mktemp("lake"))


@pytest.fixture(scope="module")
def equal(lake: duckdb.DuckDBPyConnection, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A gold file that holds what the queries say."""
    file = tmp_path_factory.mktemp("gold") / "gold-00000001.duckdb"
    with duckdb.connect(str(file)) as gold:
        gold.execute("create schema gold")
        for question in QUESTIONS:
            gold.register("answer", question.ask(lake, BERLIN))
            gold.execute(f"create table gold.{question.name} as select * from answer")
        gold.execute("""
            create table gold.pipeline_health as
            select * from (values ('events', 6, 5), ('events', 7, 7), ('rejected_events', 0, 1))
                as hours (table_name, records, loaded_rows);
            create table gold.books as
            select *, 0 as difference from (values
                ('lake', 'files', 3, 3),
                ('raw', 'events', null, 12),
                ('raw', 'rejected events', null, 1),
                ('silver', 'rows of events', 12, 12),
                ('silver', 'new events and repeats', 12, 12),
                ('silver', 'rejected events', 1, 1),
                ('gold', 'events', 12, 12),
                ('gold', 'repeats', 0, 0)
            ) as lines (layer, measure, expected, found);
            create table gold.publication as
            select 'Europe/Berlin' as timezone, null::text as trouble;
        """)
    return file


@pytest.fixture
def gold_file(equal: Path, tmp_path: Path) -> Path:
    """A copy of it for one test."""
    return Path(shutil.copy(equal, tmp_path))


def different(found: list[Comparison]) -> dict[str, tuple[int, tuple[str, ...]]]:
    return {one.question: (one.differences, one.shown) for one in found if one.differences}


def test_what_is_equal_has_no_difference_and_every_table_has_rows(
    lake: duckdb.DuckDBPyConnection, gold_file: Path
) -> None:
    found = compare(lake, gold_file, BERLIN)

    assert different(found) == {}
    assert [one.question for one in found if not one.rows] == []
    assert len(found) == len(QUESTIONS) + 3


ONE = "2026-11-02 | default | unknown"


CHANGES = [
    (
        "update gold.daily_traffic set visitors = 4",
        "daily_traffic",
        f"{ONE}: expected 12 | 9 | 3 | 3 | 0; gold has 12 | 9 | 4 | 3 | 0",
    ),
    (
        "update gold.revenue_by_day set revenue = revenue * (1 + 2e-9) + 2e-6",
        "revenue_by_day",
        f"{ONE} | unknown: expected 1 | 0.3 | 0.0 | 0.0 | 0.0 | 3 | 0 | 0.0; "
        "gold has 1 | 0.3000020006 | 0.0 | 0.0 | 0.0 | 3 | 0 | 0.0",
    ),
    (
        "delete from gold.searches",
        "searches",
        f"{ONE} | cup: expected 1; gold has no row",
    ),
    (
        "insert into gold.unknown_types values ('2026-11-03', 'default', 'ufo', 1)",
        "unknown_types",
        "2026-11-03 | default | ufo: expected no row; gold has 1",
    ),
    (
        "insert into gold.unknown_types from gold.unknown_types",
        "unknown_types",
        "2026-11-02 | default | ufo: 2 rows of one key",
    ),
    (
        "alter table gold.searches alter searches type integer",
        "searches",
        "columns: expected day date32[day], project string, country string, query string, "
        "searches int64; gold has day date32[day], project string, country string, "
        "query string, searches int32",
    ),
    (
        "update gold.web_performance set p50_ms = p50_ms * 1.026",
        "web_performance",
        f"{ONE} | /p | page_load_time: expected 9 | 1300.0 | 1900.0 | 2500.0; "
        "gold has 9 | 1333.8 | 1900.0 | 2500.0",
    ),
    (
        "update gold.pipeline_health set records = 6 where records = 7",
        "pipeline_health (sums)",
        "records of both: expected 13; gold has 12",
    ),
    (
        "update gold.books set expected = 4, difference = -1 where layer = 'lake'",
        "books",
        "lake | files | 4 | 3 | -1",
    ),
    (
        "update gold.books set expected = 11, found = 11 where measure = 'rows of events'",
        "books",
        "silver | rows of events: expected 12; gold has 11",
    ),
    (
        "update gold.books set found = 11 where layer = 'raw' and measure = 'events'",
        "books",
        "raw | events: expected 12; gold has 11",
    ),
    (
        "update gold.publication set trouble = 'a model failed'",
        "publication",
        "trouble: a model failed",
    ),
    (
        "update gold.publication set timezone = 'UTC'",
        "publication",
        "expected Europe/Berlin, gold has UTC",
    ),
]


@pytest.mark.parametrize(
    ("change", "question", "shown"), CHANGES, ids=[change[0] for change in CHANGES]
)
def test_what_is_not_is_shown(
    lake: duckdb.DuckDBPyConnection, gold_file: Path, change: str, question: str, shown: str
) -> None:
    with duckdb.connect(str(gold_file)) as gold:
        gold.execute(change)

    found = different(compare(lake, gold_file, BERLIN))

    assert list(found) == [question]
    assert shown in found[question][1]


def test_rounding_bins_and_rows_of_zeros_are_no_difference(
    lake: duckdb.DuckDBPyConnection, gold_file: Path
) -> None:
    with duckdb.connect(str(gold_file)) as gold:
        gold.execute("""
            update gold.top_pages set time_on_page_s = time_on_page_s * (1 + 1e-10);
            update gold.web_performance set p95_ms = p95_ms * 1.0247;
            insert into gold.funnel values ('2026-11-03', 'default', 'FR', 1, 'session', 0);
            insert into gold.sessions_by_day
            values ('2026-11-03', 'default', 'FR', 'mobile', 0, 0, 0, 0, 0, -1e-12, 0);
        """)

    assert different(compare(lake, gold_file, BERLIN)) == {}


def test_the_report_names_every_question_and_the_first_differences(
    lake: duckdb.DuckDBPyConnection, gold_file: Path
) -> None:
    with duckdb.connect(str(gold_file)) as gold:
        gold.execute("delete from gold.events_by_hour")

    said = table(compare(lake, gold_file, BERLIN)).splitlines()

    assert [line.split()[0] for line in said[1:16]] == [question.name for question in QUESTIONS]
    assert said[2].split() == ["events_by_hour", "9", "9"]
    assert said[-5] == (
        "events_by_hour: 2026-11-02 11:00:00 | default | unknown: expected 4; gold has no row"
    )
    assert len(said) == 1 + len(QUESTIONS) + 3 + 5
    assert queries.daily_traffic.__name__ in said[1]
