"""`tidelake status` is silent about a sound lake and names what a hand has changed in another."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import pytest
from pyiceberg.expressions import EqualTo

from tidelake.lake.entries import live_files
from tidelake.pipeline.status import Status, status


def look(lake: Any, count: bool = False) -> Status:
    return status(lake.settings, count=count)


def sentences(found: Status) -> str:
    return "\n".join(finding.sentence for finding in found.findings)


def local(location: str) -> Path:
    return Path(urlparse(location).path)


def test_a_sound_lake_balances_by_counters_and_by_count(lake: Any) -> None:
    found = look(lake, count=True)

    assert found.findings == ()
    assert found.recount is not None
    assert (found.recount.events, found.recount.rejected) == (300, 4)
    assert found.look.books.total_accepted == 304


def test_records_that_wait_in_the_inbox_are_no_fault(lake: Any) -> None:
    lake.accept([b"{}"] * 7)
    found = look(lake, count=True)

    assert found.balanced
    assert found.look.books.waiting == 7


def test_an_empty_lake_balances(empty_lake: Any) -> None:
    assert look(empty_lake, count=True).balanced


def test_a_missing_file_is_named(lake: Any) -> None:
    gone = live_files(lake.events)[0].location
    local(gone).unlink()

    found = look(lake, count=True)

    assert not found.balanced
    assert f"a live file of events is missing: {gone} (200 rows)" in sentences(found)


def test_a_file_of_another_size_is_named(lake: Any) -> None:
    cut = live_files(lake.rejects)[0].location
    local(cut).write_bytes(local(cut).read_bytes()[:-1])

    assert cut in sentences(look(lake))


@pytest.mark.parametrize("position", ["3", "100000", "three"])
def test_a_position_changed_by_hand_is_named(lake: Any, position: str) -> None:
    name = f"tidelake.position.{lake.stream}"
    lake.events.transaction().set_properties({name: position}).commit_transaction()

    found = look(lake)

    assert not found.balanced
    assert lake.stream in sentences(found)
    assert "304" in sentences(found)
    assert position in sentences(found).replace(",", "")


def test_a_position_taken_away_by_hand_is_named(lake: Any) -> None:
    lake.events.transaction().remove_properties(
        f"tidelake.position.{lake.stream}"
    ).commit_transaction()

    assert f"the position of {lake.stream} in events is gone" in sentences(look(lake))


def test_a_counter_changed_by_hand_is_found(lake: Any) -> None:
    lake.rejects.transaction().set_properties({"tidelake.count.rejected": "9"}).commit_transaction()

    assert "its counters say 9" in sentences(look(lake))


def test_rows_removed_by_hand_are_found_without_counting(lake: Any) -> None:
    lake.events.delete(EqualTo("event_id", "e7"))

    found = look(lake)

    assert [finding.layer for finding in found.findings] == ["events"]
    assert "has 299 rows, its counters say 300 (-1)" in sentences(found)


def test_a_recount_names_the_record_that_is_gone(lake: Any) -> None:
    lake.events.delete(EqualTo("event_id", "e7"))
    lake.events.transaction().set_properties({"tidelake.count.events": "299"}).commit_transaction()

    found = look(lake, count=True)

    assert {finding.layer for finding in found.findings} == {"lake", "events"}
    assert f"1 records stand in neither table, 0 were rolled back: {lake.stream} 8..8" in (
        sentences(found)
    )


def test_a_recount_finds_a_record_that_stands_twice(lake: Any) -> None:
    lake.events.append(lake.events.scan(row_filter=EqualTo("event_id", "e7")).to_arrow())

    assert f"record {lake.stream}/8 stands more than once" in sentences(look(lake, count=True))


def test_a_recount_finds_rejects_that_were_removed(lake: Any) -> None:
    lake.rejects.delete(EqualTo("reason", "not_json"))

    found = sentences(look(lake, count=True))

    assert "rejected_events holds 0 records rejected as not_json, its counters say 1 (-1)" in found


@pytest.mark.parametrize("table", ["events", "rejected_events"])
def test_a_version_hint_that_names_no_committed_metadata_is_found(lake: Any, table: str) -> None:
    hint = local(lake.settings.warehouse) / f"events_db/{table}/metadata/version-hint.text"
    hint.write_text("00099-0000")

    assert f"version-hint.text of {table} names '00099-0000'" in sentences(look(lake))


def test_the_command_prints_the_books_and_exits_with_0(lake: Any, run: Any) -> None:
    done = run("status", "--recount")

    assert done.exit_code == 0
    assert "the books balance (counted for real)" in done.stdout
    assert lake.stream in done.stdout
    assert all(line == line.rstrip() for line in done.stdout.splitlines())


def test_the_command_exits_with_1_and_names_the_layer(lake: Any, run: Any) -> None:
    lake.events.delete(EqualTo("event_id", "e7"))

    done = run("status", "--json")

    said = json.loads(done.stdout)
    assert done.exit_code == 1
    assert said["balanced"] is False
    assert [finding["layer"] for finding in said["findings"]] == ["events"]
    assert said["books"]["accepted"] == 304
