"""`tidelake report` writes what gold says of a day or a week, on a page that needs nothing else."""

from __future__ import annotations

import csv
import re
from datetime import UTC, date, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tidelake.errors import SetupError, UsageError
from tidelake.pipeline import published
from tidelake.pipeline.report import report
from tidelake.pipeline.report_charts import nice_top
from tidelake.pipeline.report_period import Period

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
DAY = date(2026, 11, 20)


class Text(HTMLParser):
    """What a reader sees of a page, and the addresses that it would load."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: list[str] = []
        self.loads: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.loads += [value or "" for name, value in attrs if name in ("src", "href")]

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def read(path: Path) -> Text:
    found = Text()
    found.feed(path.read_text("utf-8"))
    return found


def gold(layered: Any, query: str) -> Any:
    with published.opened(layered.settings.home) as connection:
        row = connection.execute(query).fetchone()
    return row[0] if row else None


def write(layered: Any, into: Path, **given: Any) -> Any:
    wanted = {"kind": "daily", "day": DAY, "project": "", "into": into, "now": NOW} | given
    return report(layered.settings.home, **wanted)


def test_a_day_on_a_page_with_the_figures_of_gold(
    layered: Any, run_layered: Any, tmp_path: Path
) -> None:
    done = run_layered("report", "daily", "--day", "2026-11-20", "--into", str(tmp_path))

    assert done.exit_code == 0
    page = tmp_path / "daily-2026-11-20.html"
    assert str(page) in done.stdout
    text = " ".join(read(page).words)
    views = gold(layered, "select sum(page_views) from daily_traffic where day = '2026-11-20'")
    revenue = gold(layered, "select sum(revenue) from revenue_by_day where currency = 'EUR'")
    assert f"Page views {views:,}" in text
    assert f"€{revenue:,.2f}" in text
    assert "Friday, 20 November 2026" in text
    assert "no earlier days to compare with" in text
    assert "Germany" in text
    assert "example.org" in text
    assert "shoes" not in text  # searches are among the tables alone
    assert "✓ 0" in text
    assert "✗" not in text


def test_it_needs_no_network_and_runs_nothing(layered: Any, tmp_path: Path) -> None:
    page = write(layered, tmp_path).page
    found = read(page)

    assert found.loads == []
    assert not {"script", "link", "iframe", "img"} & set(found.tags)
    assert "svg" in found.tags
    assert set(re.findall(r"https?://[^\"' ]+", page.read_text())) <= {"http://www.w3.org/2000/svg"}
    assert page.stat().st_size < 200_000


def test_every_table_is_there_as_csv_and_parquet_with_the_same_rows(
    layered: Any, tmp_path: Path
) -> None:
    written = write(layered, tmp_path)

    names = {path.stem for path in written.tables}
    assert {"traffic_by_day", "funnel", "revenue", "pages", "performance", "books"} <= names
    for name in names:
        folder = tmp_path / written.page.stem
        with (folder / f"{name}.csv").open(encoding="utf-8", newline="") as lines:
            rows = list(csv.DictReader(lines))
        assert len(rows) == pq.read_table(folder / f"{name}.parquet").num_rows
    (traffic,) = pq.read_table(folder / "traffic_by_day.parquet").to_pylist()
    assert traffic["events"] == gold(layered, "select sum(events)::bigint from daily_traffic")


def test_a_week_by_any_of_its_days(layered: Any, tmp_path: Path) -> None:
    written = write(layered, tmp_path, kind="weekly")

    assert written.page.name == "weekly-2026-W47.html"
    assert "16 to 22 November 2026 (week 47)" in " ".join(read(written.page).words)


def test_a_project_alone_and_one_that_is_not_known(layered: Any, tmp_path: Path) -> None:
    written = write(layered, tmp_path, project="shop")
    assert written.page.name == "daily-2026-11-20-shop.html"

    with pytest.raises(UsageError, match="no event is of the project 'shoop'") as caught:
        write(layered, tmp_path, project="shoop")
    assert "There are: shop" in caught.value.hint


def test_a_day_without_events_is_said_to_be_empty(layered: Any, tmp_path: Path) -> None:
    text = " ".join(read(write(layered, tmp_path, day=date(2026, 11, 21)).page).words)

    assert "Nothing in this period." in text
    assert "compared with 20 Nov 2026" in text


def traffic(day: str, visitors: int) -> str:
    return (
        f"insert into gold.daily_traffic values "
        f"('{day}', 'shop', 'DE', {visitors}, {visitors}, {visitors}, 0, 0);"
    )


def test_a_week_is_not_compared_with_one_that_gold_knows_in_part(
    layered: Any, tmp_path: Path
) -> None:
    with layered.with_gold(traffic("2026-11-10", 50)):
        text = " ".join(read(write(layered, tmp_path, kind="weekly").page).words)

    assert "no earlier days to compare with" in text
    assert "▲" not in text
    assert "▼" not in text


def test_a_week_under_way_is_compared_by_its_days_that_are_over(
    layered: Any, tmp_path: Path
) -> None:
    change = (
        "delete from gold.daily_traffic;"
        "update gold.publication set published_at = timestamptz '2026-11-18 12:00:00+00';"
        + traffic("2026-11-09", 100)
        + traffic("2026-11-15", 1000)
        + traffic("2026-11-16", 150)
        + traffic("2026-11-18", 60)
    )
    with layered.with_gold(change):
        written = write(layered, tmp_path, kind="weekly")
        words = [word.strip() for word in read(written.page).words if word.strip()]

    assert written.title == "Weekly report, 16 to 22 November 2026 (week 47), so far"
    assert "changes compare the 2 whole days with 9 Nov – 10 Nov 2026" in " ".join(words)
    # 210 visitors on three days so far; 150 on two whole ones, 100 on two before.
    at = words.index("Visitors a day", words.index("Weekly report"))
    assert words[at + 1 : at + 3] == ["70", "▲ 50.0%"]


def test_what_clients_sent_stays_text(layered: Any, tmp_path: Path) -> None:
    hostile = "/<script>alert(1)</script>"
    change = f"update gold.top_pages set page_path = '{hostile}' where page_path = '/p/1'"
    with layered.with_gold(change):
        found = read(write(layered, tmp_path).page)

    assert "script" not in found.tags
    assert hostile in found.words


def test_no_text_of_a_csv_file_is_a_formula_and_parquet_has_it_as_it_was(
    layered: Any, tmp_path: Path
) -> None:
    formula = '=HYPERLINK("https://example.org/?"&A1)'
    change = f"update gold.top_pages set page_path = '{formula}' where page_path = '/p/1'"
    with layered.with_gold(change):
        folder = tmp_path / write(layered, tmp_path).page.stem

    with (folder / "pages.csv").open(encoding="utf-8", newline="") as lines:
        paths = {row["page_path"] for row in csv.DictReader(lines)}
    assert f"'{formula}" in paths
    assert not any(path.startswith(("=", "+", "-", "@")) for path in paths)
    assert formula in pq.read_table(folder / "pages.parquet")["page_path"].to_pylist()


def test_numbers_of_a_csv_file_stay_numbers(layered: Any, tmp_path: Path) -> None:
    change = "update gold.books set difference = -1 where layer = 'gold' and measure = 'events'"
    with layered.with_gold(change):
        folder = tmp_path / write(layered, tmp_path).page.stem

    with (folder / "books.csv").open(encoding="utf-8", newline="") as lines:
        assert "-1" in {row["difference"] for row in csv.DictReader(lines)}


def test_money_of_a_csv_file_has_two_decimals(layered: Any, tmp_path: Path) -> None:
    change = "update gold.revenue_by_day set shipping = 0.1 + 0.2::double, tax = 2.675000001"
    with layered.with_gold(change):
        folder = tmp_path / write(layered, tmp_path).page.stem

    with (folder / "revenue.csv").open(encoding="utf-8", newline="") as lines:
        money = [row[name] for row in csv.DictReader(lines) for name in ("revenue", "shipping")]
    assert money
    assert all(re.fullmatch(r"\d+\.\d\d", amount) for amount in money)


def test_books_that_do_not_balance_are_shown_as_wrong(layered: Any, tmp_path: Path) -> None:
    change = "update gold.books set difference = -1 where layer = 'gold' and measure = 'events'"
    with layered.with_gold(change):
        text = " ".join(read(write(layered, tmp_path).page).words)

    assert "The books do not balance" in text
    assert "✗ -1" in text


def test_what_can_not_be_reported_is_told(
    layered: Any, lake: Any, run: Any, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="2026-11-25 has not begun"):
        write(layered, tmp_path, day=date(2026, 11, 25))
    with pytest.raises(UsageError, match="no gold is published yet"):
        run("report", "daily")
    with pytest.raises(UsageError, match="'soon' is no day"):
        run("report", "daily", "--day", "soon")
    (tmp_path / "file").write_text("")
    with pytest.raises(SetupError, match="can not be written to"):
        write(layered, tmp_path / "file")


@pytest.mark.parametrize(
    ("kind", "today", "last_day", "first"),
    [
        ("daily", "2026-11-24", "2026-11-24", "2026-11-23"),
        ("daily", "2026-11-24", "2026-11-20", "2026-11-20"),
        ("daily", "2026-11-24", None, "2026-11-23"),
        ("weekly", "2026-11-24", "2026-11-24", "2026-11-16"),
        ("weekly", "2026-11-24", "2026-11-18", "2026-11-16"),
        ("weekly", "2026-01-02", "2026-01-02", "2025-12-22"),
    ],
)
def test_the_newest_period_is_the_last_that_is_over_and_has_events(
    kind: Any, today: str, last_day: str | None, first: str
) -> None:
    known = date.fromisoformat(last_day) if last_day else None
    found = Period.newest(kind, date.fromisoformat(today), known)

    assert found.first == date.fromisoformat(first)
    assert found.before().last < found.first


@pytest.mark.parametrize(
    ("most", "top"), [(0, 3), (1, 1.5), (3, 3), (7, 9), (339, 600), (705, 750), (12_000, 15_000)]
)
def test_a_scale_ends_at_a_round_number(most: float, top: float) -> None:
    assert nice_top(most) == top
