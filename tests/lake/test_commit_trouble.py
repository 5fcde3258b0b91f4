"""Answers that get lost, committers that meet, sleepers that wake: each record exactly once."""

from __future__ import annotations

import multiprocessing
from contextlib import closing, suppress
from typing import Any

import pytest
from pyiceberg.catalog import Catalog
from pyiceberg.exceptions import CommitFailedException, CommitStateUnknownException

from tidelake.errors import FencedError, SetupError, UnavailableError
from tidelake.lake.commit import Committer
from tidelake.lake.positions import counts, positions

STREAM = "inbox/7d0c/0"
LOST_ANSWERS = [
    CommitFailedException("someone else was first"),
    CommitStateUnknownException("504"),
    TimeoutError("no answer"),
    ConnectionResetError("gone"),
]


def answer(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch, *, lands: bool, error: Exception
) -> None:
    """The next commit lands or not, and answers with `error`; later ones are well."""
    real, failures = catalog.commit_table, [error]

    def commit_table(*args: Any, **kwargs: Any) -> Any:
        if not failures:
            return real(*args, **kwargs)
        if lands:
            real(*args, **kwargs)
        raise failures.pop()

    monkeypatch.setattr(catalog, "commit_table", commit_table)


@pytest.mark.parametrize("lands", [True, False], ids=["landed", "lost"])
@pytest.mark.parametrize("error", LOST_ANSWERS, ids=lambda error: type(error).__name__)
def test_a_commit_whose_answer_is_an_error_is_there_once(
    lake: Any, monkeypatch: pytest.MonkeyPatch, error: Exception, lands: bool
) -> None:
    catalog = lake.open()
    committer = Committer(catalog, sleep=lambda _: None)
    group = [lake.range(1, 5, bad={2})]
    answer(catalog, monkeypatch, lands=lands, error=error)
    committer.commit(group)
    committer.commit([lake.range(6, 9)])

    assert lake.numbers() == [1, 3, 4, 5, 6, 7, 8, 9]
    assert lake.numbers("rejected_events") == [2]
    assert counts(lake.events.properties)["events"] == 8
    assert counts(lake.rejects.properties)["rejected"] == 1


def test_a_commit_that_never_lands_is_unavailable_and_may_be_tried_again(
    lake: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalog = lake.open()
    committer = Committer(catalog, sleep=lambda _: None)
    group = [lake.range(1, 5, bad={2})]
    with monkeypatch.context() as patch:
        patch.setattr(catalog, "commit_table", _refused)
        with pytest.raises(
            UnavailableError, match="in 10 tries; the last: ConnectionError: refused"
        ):
            committer.commit(group)
    committer.commit(group)

    assert lake.numbers() == [1, 3, 4, 5]


def _refused(*_: Any, **__: Any) -> None:
    raise ConnectionError("refused")


def test_the_same_group_committed_again_after_its_rejects_adds_nothing(lake: Any) -> None:
    committer = lake.committer()
    group = [lake.range(1, 5, bad={2})]
    committer._commit_rejects(group, _tally(group), _identity(group))
    committer.commit(group)

    assert lake.numbers("rejected_events") == [2]
    assert lake.numbers() == [1, 3, 4, 5]


def _tally(group: Any) -> Any:
    from tidelake.lake.tally import Tally

    return Tally.of(group)


def _identity(group: Any) -> str:
    from tidelake.lake.append import commit_id

    return commit_id(group)


def test_the_second_committer_of_a_stream_is_fenced(lake: Any) -> None:
    first, second = lake.committer(), lake.committer()
    first.commit([lake.range(1, 4)])

    with pytest.raises(FencedError, match=f"{STREAM} stands at 4, not at 0"):
        second.commit([lake.range(1, 6)])
    assert lake.numbers() == [1, 2, 3, 4]


def test_the_second_committer_of_the_same_range_finds_it_done(lake: Any) -> None:
    first, second = lake.committer(), lake.committer()
    first.commit([lake.range(1, 4)])
    second.commit([lake.range(1, 4)])

    assert lake.numbers() == [1, 2, 3, 4]


def test_a_committer_asleep_before_an_empty_batch_is_refused_when_it_wakes(lake: Any) -> None:
    successor = lake.committer()
    successor.commit([lake.range(1, 3)])

    def meanwhile(_: Any) -> None:
        if lake.numbers() == [1, 2, 3]:
            successor.commit([lake.range(4, 4)])
            successor.commit([lake.range(5, 9)])

    # All of its records were rejected, and are in the other table since an earlier run.
    sleeper = lake.committer(before_swap=meanwhile)
    with pytest.raises(FencedError):
        sleeper.commit([lake.range(4, 6, judged={4, 5, 6})])

    assert positions(lake.events.properties) == {STREAM: 9}
    assert lake.numbers() == [1, 2, 3, 4, 5, 6, 7, 8, 9]


def test_another_committer_between_look_and_swap_costs_a_second_look(lake: Any) -> None:
    other = lake.committer()
    pending = [lake.range(1, 5, stream="file/ab/0")]

    def meanwhile(_: Any) -> None:
        if pending:
            other.commit([pending.pop()])

    lake.committer(before_swap=meanwhile).commit([lake.range(1, 3)])

    assert positions(lake.events.properties) == {STREAM: 3, "file/ab/0": 5}
    assert counts(lake.events.properties)["events"] == 8
    assert lake.numbers() == [1, 2, 3]


def test_no_metadata_is_left_that_no_snapshot_names(lake: Any) -> None:
    other = lake.committer()
    pending = [lake.range(n, n, stream="file/ab/0") for n in range(1, 6)]

    def meanwhile(_: Any) -> None:
        if pending:
            other.commit([pending.pop(0)])

    # More than the twenty manifests at which they are merged, with lost races in between.
    committer = lake.committer(before_swap=meanwhile)
    for n in range(1, 60, 2):
        committer.commit([lake.range(n, n + 1, bad={n})])

    for table in (lake.events, lake.rejects):
        named = {m.manifest_path for s in table.metadata.snapshots for m in s.manifests(table.io)}
        named |= {snapshot.manifest_list for snapshot in table.metadata.snapshots}
        folder = lake.warehouse / "events_db" / table.name()[-1] / "metadata"
        assert {path.as_uri() for path in folder.glob("*.avro")} == named
    assert lake.numbers() == list(range(2, 61, 2))
    assert lake.numbers("rejected_events") == list(range(1, 60, 2))


def test_a_late_reject_is_committed_though_its_position_stands_already(lake: Any) -> None:
    before = lake.committer()
    group = [lake.range(1, 10, bad={3, 8})]
    before._commit_rejects(group, _tally(group), _identity(group))

    after = lake.committer()
    judged = after.judged(STREAM, 0, 10)
    late = lake.range(1, 5, judged=judged, bad={4})
    after.commit([late])
    after.commit([lake.range(6, 10, judged=judged)])

    assert judged == {3, 8}
    assert lake.numbers("rejected_events") == [3, 4, 8]
    assert lake.numbers() == [1, 2, 5, 6, 7, 9, 10]


@pytest.mark.parametrize("lands", [True, False], ids=["landed", "lost"])
def test_a_late_reject_whose_answer_is_an_error_is_there_once(
    lake: Any, monkeypatch: pytest.MonkeyPatch, lands: bool
) -> None:
    before = lake.committer()
    group = [lake.range(1, 10, bad={3})]
    before._commit_rejects(group, _tally(group), _identity(group))

    catalog = lake.open()
    after = Committer(catalog, sleep=lambda _: None)
    answer(catalog, monkeypatch, lands=lands, error=TimeoutError("no answer"))
    after.commit([lake.range(1, 5, judged={3}, bad={4})])

    assert lake.numbers("rejected_events") == [3, 4]
    assert lake.numbers() == [1, 2, 5]


def test_judged_looks_at_its_own_stream_and_range_only(lake: Any) -> None:
    lake.committer().commit(
        [lake.range(1, 9, bad={2, 5, 7}), lake.range(1, 9, stream=STREAM + "1", bad={1, 6})]
    )

    assert lake.committer().judged(STREAM, 2, 6) == {5}
    assert lake.committer().judged(STREAM, 9, 9) == set()


def test_the_version_hint_is_brought_up_to_date_before_positions_are_told(lake: Any) -> None:
    lake.committer().commit([lake.range(1, 3)])
    hint = lake.warehouse / "events_db/events/metadata/version-hint.text"
    current = hint.read_text()
    hint.write_text("00000-older")
    lake.committer().start_positions()

    assert hint.read_text() == current


def test_the_version_hint_never_goes_back(lake: Any) -> None:
    from tidelake.lake import pointer

    older = lake.events
    lake.committer().commit([lake.range(1, 3)])
    pointer.publish(older)

    hint = lake.warehouse / "events_db/events/metadata/version-hint.text"
    assert lake.events.metadata_location.endswith(f"/{hint.read_text()}.metadata.json")


def test_a_finished_source_has_a_mark_and_no_position(lake: Any) -> None:
    stream = "file/ab12/0"
    committer = lake.committer()
    committer.commit([lake.range(1, 6, stream=stream, bad={2})])
    committer.finish_source(stream, 6)
    committer.finish_source(stream, 6)

    assert committer.finished(stream) == 6
    assert lake.committer().start_positions() == {}
    assert counts(lake.events.properties)["finished"] == 6
    assert (lake.warehouse / "sources/ab12.done").exists()


def test_a_crash_between_mark_and_drop_is_mended_by_finishing_again(lake: Any) -> None:
    from tidelake.lake import sources

    stream = "file/ab12/0"
    lake.committer().commit([lake.range(1, 6, stream=stream, bad={2})])
    sources.mark(lake.catalog, stream, 6)
    lake.committer().finish_source(stream, 6)

    assert lake.committer().start_positions() == {}
    assert counts(lake.events.properties)["finished"] == 6


def test_a_finished_source_can_not_be_committed_again_by_one_who_slept(lake: Any) -> None:
    stream = "file/ab12/0"
    sleeper, other = lake.committer(), lake.committer()
    other.commit([lake.range(1, 6, stream=stream)])
    other.finish_source(stream, 6)

    with pytest.raises(FencedError, match="is finished"):
        sleeper.commit([lake.range(1, 3, stream=stream)])
    assert lake.numbers(stream=stream) == [1, 2, 3, 4, 5, 6]


def test_a_lake_that_was_never_made_is_a_broken_setup(tmp_path: Any) -> None:
    from tidelake.lake.catalog import open_catalog

    catalog = open_catalog("sql", tmp_path.as_uri(), f"sqlite:///{tmp_path}/catalog.db")
    with pytest.raises(SetupError, match="tidelake init"):
        Committer(catalog).start_positions()
    catalog.close()


def test_two_processes_that_race_on_one_stream_lose_and_double_nothing(postgres_lake: Any) -> None:
    lake = postgres_lake
    spawn = multiprocessing.get_context("spawn")
    ranges = [lake.range(n * 5 + 1, n * 5 + 5, bad={n * 5 + 2}) for n in range(4)]
    racers = [
        spawn.Process(target=race, args=(lake.url, lake.warehouse.as_uri(), ranges))
        for _ in range(2)
    ]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join(120)

    assert [racer.exitcode for racer in racers] == [0, 0]
    assert lake.numbers() == [n for n in range(1, 21) if n % 5 != 2]
    assert lake.numbers("rejected_events") == [n for n in range(1, 21) if n % 5 == 2]
    assert counts(lake.events.properties)["events"] == 16


def race(url: str, warehouse: str, ranges: list[Any]) -> None:
    """Commits what is not committed yet, and starts again wherever it is fenced."""
    from tidelake.lake.catalog import open_catalog

    with closing(open_catalog("sql", warehouse, url)) as catalog:
        committer = Committer(catalog)
        while left := beyond(committer.start_positions(), ranges):
            with suppress(FencedError):
                for one in left:
                    committer.commit([one])


def beyond(positions: dict[str, tuple[int, int]], ranges: list[Any]) -> list[Any]:
    done, _ = positions.get(STREAM, (0, 0))
    return [one for one in ranges if one.first > done]
