"""Ranges become rows exactly once, and the books know them."""

from __future__ import annotations

from typing import Any

import pytest

from tidelake.errors import UsageError
from tidelake.lake.positions import counts, positions

STREAM = "inbox/7d0c/0"


def test_a_range_becomes_rows_of_both_tables_with_its_position(lake: Any) -> None:
    done = lake.committer().commit([lake.range(1, 10, bad={4, 7})])

    assert lake.numbers() == [1, 2, 3, 5, 6, 8, 9, 10]
    assert lake.numbers("rejected_events") == [4, 7]
    assert positions(lake.events.properties) == {STREAM: 10}
    assert positions(lake.rejects.properties) == {STREAM: 10}
    assert done.positions == {STREAM: 10}
    assert done.sequence_number == 1


def test_a_range_without_rows_is_an_empty_snapshot(lake: Any) -> None:
    committer = lake.committer()
    committer.commit([lake.range(1, 3)])
    committer.commit([lake.range(4, 6, bad={4, 5, 6})])

    assert len(lake.events.metadata.snapshots) == 2
    assert positions(lake.events.properties) == {STREAM: 6}
    assert lake.numbers() == [1, 2, 3]


def test_several_ranges_of_several_streams_are_one_commit(lake: Any) -> None:
    other = "inbox/7d0c/1"
    group = [lake.range(1, 4), lake.range(1, 2, stream=other, bad={2}), lake.range(5, 6, bad={5})]
    lake.committer().commit(group)

    assert len(lake.events.metadata.snapshots) == 1
    assert positions(lake.events.properties) == {STREAM: 6, other: 2}
    assert lake.numbers() == [1, 2, 3, 4, 6]
    assert lake.numbers(stream=other) == [1]


def test_counters_add_up_over_commits(lake: Any) -> None:
    committer = lake.committer()
    committer.commit([lake.range(1, 10, bad={4})])
    committer.commit([lake.range(11, 20, bad={11, 12})])

    assert counts(lake.events.properties) == {"events": 17, "replayed": 0, "raw-bytes": 2000}
    assert counts(lake.rejects.properties) == {"rejected": 3, "damaged": 0, "reason.not_json": 3}


def test_replayed_events_are_counted_apart(lake: Any) -> None:
    lake.committer().commit([lake.range(1, 5, stream="replay/1/0")])

    assert counts(lake.events.properties)["replayed"] == 5


def test_a_hole_between_ranges_is_refused(lake: Any) -> None:
    committer = lake.committer()
    committer.commit([lake.range(1, 3)])

    with pytest.raises(UsageError, match=r"5\.\.6 does not follow position 3"):
        committer.commit([lake.range(5, 6)])


def test_positions_of_other_streams_are_carried_over(lake: Any) -> None:
    up, ingest = lake.committer(), lake.committer()
    up.commit([lake.range(1, 3)])
    ingest.commit([lake.range(1, 5, stream="file/ab/0")])
    up.commit([lake.range(4, 6)])

    assert positions(lake.events.properties) == {STREAM: 6, "file/ab/0": 5}
    assert lake.committer().start_positions() == {STREAM: (6, 0), "file/ab/0": (5, 0)}


def test_the_version_hint_names_the_committed_metadata(lake: Any) -> None:
    lake.committer().commit([lake.range(1, 4, bad={2})])

    for table in (lake.events, lake.rejects):
        hint = lake.warehouse / "events_db" / table.name()[-1] / "metadata/version-hint.text"
        assert table.metadata_location.endswith(f"/{hint.read_text()}.metadata.json")


def test_a_committed_lake_is_read_by_duckdb_as_a_folder(lake: Any) -> None:
    import duckdb

    from tidelake.extensions import load_extensions

    lake.committer().commit([lake.range(1, 40, bad={2})])
    with duckdb.connect(config={"autoinstall_known_extensions": "false"}) as connection:
        load_extensions(connection, "avro", "iceberg")
        folder = lake.warehouse / "events_db/events"
        rows = connection.execute(f"select count(*) from iceberg_scan('{folder}')").fetchone()

    assert rows == (39,)
