"""States, tags, the table as of a time, and rollback."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tidelake.errors import FencedError, UsageError
from tidelake.lake import travel
from tidelake.lake.positions import counts, positions

STREAM = "inbox/7d0c/0"


def three_commits(lake: Any) -> Any:
    committer = lake.committer()
    for n in (1, 4, 7):
        committer.commit([lake.range(n, n + 2)])
    return committer


def test_states_are_told_oldest_first_with_their_tags(lake: Any) -> None:
    three_commits(lake)
    first = lake.events.metadata.snapshots[0].snapshot_id
    travel.tag(lake.catalog, "events", "start", first)

    told = [(state.rows, state.tags, state.current) for state in travel.states(lake.events)]
    assert told == [(3, ("start",), False), (6, (), False), (9, (), False), (9, (), True)]


def test_a_tag_is_never_moved(lake: Any) -> None:
    three_commits(lake)
    first, second, _ = lake.events.metadata.snapshots
    travel.tag(lake.catalog, "events", "start", first.snapshot_id)

    with pytest.raises(UsageError, match="'start' already"):
        travel.tag(lake.catalog, "events", "start", second.snapshot_id)


def test_as_of_gives_the_newest_state_that_is_not_younger(lake: Any) -> None:
    three_commits(lake)
    second = travel.states(lake.events)[1]

    assert travel.as_of(lake.events, second.at) == second
    with pytest.raises(UsageError, match="the oldest is of"):
        travel.as_of(lake.events, second.at - timedelta(days=1))


def test_a_rollback_removes_rows_and_keeps_positions_and_books(lake: Any) -> None:
    committer = three_commits(lake)
    first = travel.states(lake.events)[0]
    travel.rollback(lake.catalog, first.snapshot_id, "once")
    travel.rollback(lake.catalog, first.snapshot_id, "once")

    assert lake.numbers() == [1, 2, 3]
    assert positions(lake.events.properties) == {STREAM: 9}
    assert counts(lake.events.properties)["events"] == 3
    assert counts(lake.events.properties)["rolled-back"] == 6
    assert lake.events.properties[travel.RECONCILE] == "4"

    committer.commit([lake.range(10, 11)])
    assert lake.numbers() == [1, 2, 3, 10, 11]


def test_a_committer_that_slept_through_a_rollback_does_not_bring_rows_back(lake: Any) -> None:
    successor = lake.committer()
    successor.commit([lake.range(1, 3)])
    head = lake.events.metadata.current_snapshot_id

    def meanwhile(_: Any) -> None:
        if lake.events.metadata.current_snapshot_id == head:
            successor.commit([lake.range(4, 9)])
            travel.rollback(lake.catalog, head, "once")

    sleeper = lake.committer(before_swap=meanwhile)
    with pytest.raises(FencedError):
        sleeper.commit([lake.range(4, 6)])

    assert lake.numbers() == [1, 2, 3]
    assert positions(lake.events.properties) == {STREAM: 9}


def test_a_state_that_is_not_there_is_named(lake: Any) -> None:
    three_commits(lake)

    with pytest.raises(UsageError, match="no snapshot or tag 'tomorrow'"):
        travel.find(lake.events, "tomorrow")


def test_sql_shows_the_tables_as_they_are_and_as_they_were(lake: Any) -> None:
    from tidelake.lake.query import connect

    three_commits(lake)
    second = travel.states(lake.events)[1]
    counted = "select (select count(*) from events), (select count(*) from rejected_events)"
    with connect(lake.catalog) as now, connect(lake.catalog, second.at) as then:
        assert now.execute(counted).fetchone() == (9, 0)
        assert then.execute(counted).fetchone() == (6, 0)


def test_sql_shows_which_rejects_were_replayed(lake: Any) -> None:
    from tidelake.lake.query import connect

    committer = lake.committer()
    committer.commit([lake.range(1, 5, bad={2, 4})])
    # What a replay gives: an event with the position of the record that had been rejected.
    again = lake.range(2, 2)
    committer.commit([lake.as_stream(again, "replay/1/0", first=1)])
    with connect(lake.catalog) as connection:
        replayed = connection.execute("select source_position, reason from replayed").fetchall()

    assert replayed == [(f"{STREAM}/2", "not_json")]
    assert counts(lake.events.properties) == {"events": 4, "replayed": 1, "raw-bytes": 600}


def test_an_empty_lake_can_be_asked_too(lake: Any) -> None:
    from tidelake.lake.query import connect

    with connect(lake.catalog, datetime.now(UTC)) as connection:
        assert connection.execute("select count(*) from replayed").fetchone() == (0,)
