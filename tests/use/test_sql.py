"""`tidelake sql` answers from the lake, now and as of before, and writes nothing to it."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tidelake.errors import DamagedError, UsageError
from tidelake.lake.entries import live_files
from tidelake.lake.travel import states

BY_TYPE = "select event_type, count(*) as events from events group by all order by all"


def test_an_answer_in_csv(lake: Any, run: Any) -> None:
    done = run("sql", BY_TYPE, "--format", "csv")

    assert list(csv.reader(io.StringIO(done.stdout))) == [
        ["event_type", "events"],
        ["page_view", "75"],
        ["product_view", "75"],
        ["purchase", "75"],
        ["search", "75"],
    ]


def test_an_answer_as_a_table_in_a_pipe_has_no_colour_and_cuts_nothing(lake: Any, run: Any) -> None:
    done = run("sql", "select source_position, event_key, _doc from events limit 3")

    assert done.stdout.count(f"{lake.stream}/") == 3
    assert "\x1b" not in done.stdout
    assert "…" not in done.stdout


def test_an_answer_in_json_holds_bytes_in_hex_and_times_in_iso(lake: Any, run: Any) -> None:
    query = "select event_key, event_time, quality_flags from events where event_id = 'e4'"
    (row,) = json.loads(run("sql", query, "--format", "json").stdout)

    assert len(bytes.fromhex(row["event_key"])) == 16
    assert row["event_time"] == "2026-11-20T11:59:00+00:00"
    assert row["quality_flags"] == []


def test_no_rows_are_an_empty_list(lake: Any, run: Any) -> None:
    assert run("sql", "from events where false", "--format", "json").stdout == "[]\n"


def test_ndjson_and_limit(lake: Any, run: Any) -> None:
    done = run("sql", "select event_id from events", "--format", "ndjson", "--limit", "7")

    assert len([json.loads(line) for line in done.stdout.splitlines()]) == 7


def test_an_answer_in_parquet(lake: Any, run: Any, tmp_path: Path) -> None:
    file = tmp_path / "answer.parquet"
    run("sql", "from events", "--format", "parquet", "--output", str(file))

    assert pq.read_table(file).num_rows == 300


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_a_query_that_is_wrong_leaves_the_file_as_it_was(
    lake: Any, run: Any, tmp_path: Path, form: str
) -> None:
    target = tmp_path / "answer"
    target.write_text("of yesterday")

    with pytest.raises(UsageError, match="evnt_type"):
        run("sql", "select evnt_type from events", "--format", form, "-o", str(target))

    assert target.read_text() == "of yesterday"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["answer", "home"]


@pytest.mark.parametrize("command", [("sql", "select 1"), ("rejected", "export")])
def test_a_file_that_can_not_be_written_is_told_by_name(
    lake: Any, run: Any, tmp_path: Path, command: tuple[str, ...]
) -> None:
    with pytest.raises(UsageError, match=r"nowhere/answer\.csv can not be written: No such file"):
        run(*command, "--output", str(tmp_path / "nowhere" / "answer.csv"))


def test_an_answer_goes_to_a_device_and_through_a_link(lake: Any, run: Any, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "target")

    run("sql", "select 1 as one", "-o", "/dev/null")
    run("sql", "select 1 as one", "-o", str(tmp_path / "link"))

    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target").read_text().split() == ["one", "1"]


def test_the_query_comes_from_stdin_or_a_file(lake: Any, run: Any, tmp_path: Path) -> None:
    query = "select count(*) as n from events"
    (tmp_path / "q.sql").write_text(query)

    assert run("sql", "--format", "csv", stdin=query).stdout == "n\n300\n"
    assert run("sql", "--format", "csv", "-f", str(tmp_path / "q.sql")).stdout == "n\n300\n"


def test_without_a_query_examples_and_columns_are_shown(lake: Any, run: Any) -> None:
    done = run("sql", stdin="")

    assert 'tidelake sql "select event_type' in done.stdout
    assert "session_info_session_id" in done.stdout
    assert "replayed" in done.stdout


def test_as_of_a_snapshot_and_a_time(lake: Any, run: Any) -> None:
    first, second = states(lake.events)
    query = "select count(*) as n from events"

    for moment, rows in (
        (str(first.snapshot_id), 200),
        (first.at.isoformat(), 200),
        (second.at.isoformat(), 300),
        ("0 s ago", 300),
    ):
        done = run("sql", query, "--as-of", moment, "--format", "csv")
        assert done.stdout == f"n\n{rows}\n"


def test_what_is_no_time_tag_or_snapshot_is_refused(lake: Any, run: Any) -> None:
    with pytest.raises(UsageError, match="'soon' is no time, tag or snapshot"):
        run("sql", "from events", "--as-of", "soon")


def test_bad_sql_is_told_in_duckdbs_words(lake: Any, run: Any) -> None:
    with pytest.raises(UsageError, match=r'Referenced column "evnt_type" not found'):
        run("sql", "select evnt_type from events")


@pytest.mark.parametrize(
    "statement",
    ["create table t as from events", "copy events to 'f.csv'", "drop view events", "attach 'x'"],
)
def test_a_statement_that_is_no_query_is_refused(lake: Any, run: Any, statement: str) -> None:
    with pytest.raises(UsageError, match="is not a query"):
        run("sql", statement)


def test_several_queries_are_answered_in_turn(lake: Any, run: Any) -> None:
    done = run("sql", "select 'one'; select 'two'")

    assert done.stdout.index("one") < done.stdout.index("two")


def test_a_missing_file_is_no_fault_of_the_query(lake: Any, run: Any) -> None:
    Path(live_files(lake.events)[0].location.removeprefix("file://")).unlink()

    with pytest.raises(DamagedError, match="can not read the lake"):
        run("sql", "select sum(order_total) from events")
