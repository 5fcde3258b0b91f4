"""`tidelake lake …`, `init` and `recover` on a real lake."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tidelake.errors import SetupError, UsageError
from tidelake.lake.travel import states
from tidelake.pipeline.status import status


def test_init_says_what_there_is_any_number_of_times(lake: Any, run: Any) -> None:
    first, second = run("init"), run("init")

    assert first.exit_code == 0
    assert first.stdout == second.stdout
    assert "events_db.events: " in first.stdout
    assert "300 rows, 2 files" in first.stdout


def test_status_tells_a_table_in_full(lake: Any, run: Any) -> None:
    events, rejects = json.loads(run("lake", "status", "--json").stdout)

    assert (events["rows"], events["files"], events["snapshots"]) == (300, 2, 2)
    assert (rejects["rows"], rejects["files"]) == (4, 1)
    assert events["metadata_bytes"] > 0
    assert "metadata size" in run("lake", "status").stdout


def test_snapshots_show_whole_ids(lake: Any, run: Any) -> None:
    done = run("lake", "snapshots")

    assert all(str(state.snapshot_id) in done.stdout for state in states(lake.events))
    assert len(json.loads(run("lake", "snapshots", "--json", "--limit", "1").stdout)) == 1


def test_files_are_listed_with_their_locations(lake: Any, run: Any) -> None:
    listed = json.loads(run("lake", "files", "--json").stdout)

    assert [file["rows"] for file in listed] == [200, 100]
    assert listed[0]["location"] in run("lake", "files").stdout


def test_a_tag_keeps_a_state_that_sql_can_read(lake: Any, run: Any) -> None:
    run("lake", "tags", "--make", "before")
    lake.fill(10, bad=())

    done = run("sql", "select count(*) as n from events", "--as-of", "before", "--format", "csv")
    assert done.stdout == "n\n300\n"
    assert "before" in run("lake", "tags").stdout


def test_care_compacts_and_says_so(lake: Any, run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIDELAKE_CARE_MIN_FILES", "2")
    done = run("lake", "care")

    assert "2 files of 2026-11-20 became one" in done.stdout
    assert status(lake.settings, count=True).findings == ()


def test_an_evolved_column_is_filled_by_new_data_and_by_replay(lake: Any, run: Any) -> None:
    done = run("lake", "evolve", ".page.section", "--as", "section")
    run("rejected", "replay", "--max-age-days", "4000")

    assert "section (string)" in done.stdout
    answer = run("sql", "select count(*) as n, count(section) as s from events", "--format", "csv")
    assert answer.stdout == "n,s\n301,0\n"


def test_a_rollback_asks_and_does_nothing_at_no(lake: Any, run: Any) -> None:
    first = states(lake.events)[0]
    done = run("lake", "rollback", str(first.snapshot_id), stdin="n\n")

    assert "100 rows are removed" in done.stdout
    assert done.exit_code == 1
    assert len(states(lake.events)) == 2


def test_a_rollback_stands_in_the_books_and_can_be_taken_back(lake: Any, run: Any) -> None:
    first, second = states(lake.events)
    run("lake", "rollback", str(first.snapshot_id), "--yes")

    found = status(lake.settings, count=True)
    assert found.findings == ()
    assert (found.look.books.events, found.look.books.rolled_back) == (200, 100)

    done = run("lake", "rollback", str(second.snapshot_id), "--yes")
    assert "100 rows come back" in done.stdout
    assert status(lake.settings, count=True).findings == ()


def test_a_replay_that_was_rolled_back_can_be_replayed(lake: Any, run: Any) -> None:
    before = states(lake.events)[-1]
    run("rejected", "replay", "--max-age-days", "4000")
    run("lake", "rollback", str(before.snapshot_id), "--yes")
    assert status(lake.settings, count=True).findings == ()

    done = run("rejected", "replay", "--max-age-days", "4000")
    assert "1 records are events now" in done.stdout
    assert status(lake.settings, count=True).findings == ()


def test_a_state_that_is_current_is_no_way_back(lake: Any, run: Any) -> None:
    with pytest.raises(UsageError, match="already"):
        run("lake", "rollback", "now")


def test_recover_finds_the_tables_of_a_lost_catalog(lake: Any, run: Any) -> None:
    for name in ("events", "rejected_events"):
        lake.lakehouse.catalog.drop_table(f"events_db.{name}")
    with pytest.raises(SetupError, match="tidelake recover"):
        run("init")

    done = run("recover")

    assert "events_db.events: 300 rows" in done.stdout
    assert status(lake.settings, count=True).findings == ()
    assert run("recover").exit_code == 0
