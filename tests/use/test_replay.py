"""A replay brings each rejected record to events once, killed or run twice, and the books agree."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from pyiceberg.catalog import Catalog
from pyiceberg.table import Table

from tidelake.lake.commit import Committer
from tidelake.pipeline.rejected import Where, find
from tidelake.pipeline.replay import Replay, replay, rules_with
from tidelake.pipeline.status import status

EVERYTHING = Where()
REPLAY = """
from pathlib import Path
from tidelake.pipeline.lakehouse import opened
from tidelake.pipeline.rejected import Where
from tidelake.pipeline.replay import replay, rules_with
from tidelake.settings import load
settings = load()
with opened(settings) as lakehouse:
    replay(lakehouse, Where(), rules_with(settings, 4000, None, None))
"""


def wide(lake: Any, where: Where = EVERYTHING, **options: Any) -> Replay:
    rules = rules_with(lake.settings, 4000, None, None)
    return replay(lake.lakehouse, where, rules, sleep=lambda _: None, **options)


def positions(table: Table) -> list[str]:
    return sorted(table.scan(selected_fields=("source_position",)).to_arrow()[0].to_pylist())


def replayed(lake: Any) -> list[str]:
    return sorted(set(positions(lake.events)) & set(positions(lake.rejects)))


def require_sound(lake: Any) -> None:
    found = status(lake.settings, count=True)
    assert found.findings == ()


def test_what_passes_by_todays_rules_becomes_an_event_at_its_old_position(lake: Any) -> None:
    (reject,) = find(lake.lakehouse, Where(reasons=("too_early",)), 1).rows
    done = wide(lake)

    assert (done.passed, done.looked_at, done.commits) == (1, 4, 1)
    assert replayed(lake) == [reject["source_position"]]
    assert len(positions(lake.rejects)) == 4
    require_sound(lake)


def test_a_second_replay_finds_nothing_to_do(lake: Any) -> None:
    wide(lake)

    assert (wide(lake).passed, wide(lake).looked_at) == (0, 3)
    require_sound(lake)


def test_a_replayed_record_is_the_event_that_it_would_have_been(lake: Any) -> None:
    wide(lake)
    (row,) = lake.events.scan(row_filter="event_id = 'e900'").to_arrow().to_pylist()
    (known,) = lake.events.scan(row_filter="event_id = 'e1'").to_arrow().to_pylist()

    assert row["project"] == "shop"
    assert row["received_at"] == known["received_at"]
    assert row["envelope"] == known["envelope"]
    assert row["page_path"] == "/p/0"


def test_a_dry_run_changes_nothing(lake: Any, run: Any) -> None:
    before = lake.events.metadata_location
    done = run("rejected", "replay", "--dry-run", "--max-age-days", "4000")

    assert "1 records would be events, 3 are still rejected" in done.stdout
    assert lake.events.metadata_location == before


def test_only_the_chosen_are_replayed(lake: Any) -> None:
    assert wide(lake, Where(reasons=("not_json",))).passed == 0
    (reject,) = find(lake.lakehouse, Where(reasons=("too_early",)), 1).rows
    assert wide(lake, Where(positions=(reject["source_position"],))).passed == 1


def test_list_says_what_was_replayed(lake: Any, run: Any) -> None:
    wide(lake)
    rows = {row["reason"]: row["replayed"] for row in find(lake.lakehouse, EVERYTHING, 9).rows}

    assert rows == {"too_early": True, "not_json": False, "not_utf8": False, "missing_field": False}
    assert "too_early" not in run("rejected", "list", "--pending").stdout


def beside(other: Callable[[], object]) -> Callable[[Catalog], Committer]:
    """Makes committers, the first of which lets `other` run just before its first swap."""
    waiting = [other]

    def before_swap(_: Table) -> None:
        if waiting:
            waiting.pop()()

    return lambda catalog: Committer(catalog, sleep=lambda _: None, before_swap=before_swap)


def test_a_replay_that_lands_while_another_starts_is_seen(lake: Any) -> None:
    class Late(Committer):
        def start_positions(self) -> dict[str, tuple[int, int]]:
            wide(lake)
            return super().start_positions()

    assert wide(lake, committer=Late).passed == 0
    assert len(positions(lake.events)) == 301
    require_sound(lake)


def test_two_replays_at_once_bring_a_record_once(lake: Any) -> None:
    others: list[Replay] = []
    ours = wide(lake, committer=beside(lambda: others.append(wide(lake))))

    assert others[0].passed + ours.passed == 1
    assert len(replayed(lake)) == 1
    require_sound(lake)


def test_two_replays_of_other_records_at_once_bring_both(lake: Any, make_event: Any) -> None:
    lake.fill(1, bad=[make_event(950, "2019-02-02T00:00:00Z")])
    first, second = (
        Where(positions=(row["source_position"],))
        for row in find(lake.lakehouse, Where(reasons=("too_early",)), 2).rows
    )
    ours = wide(lake, first, committer=beside(lambda: wide(lake, second)))

    assert ours.passed == 1
    assert len(replayed(lake)) == 2
    require_sound(lake)


@pytest.mark.crash
@pytest.mark.parametrize(
    "point", ["encode.after_store", "commit.before_events", "commit.after_events"]
)
def test_a_killed_replay_is_finished_by_the_next(lake: Any, point: str) -> None:
    environment = os.environ | {
        "TIDELAKE_HOME": str(lake.settings.home),
        "TIDELAKE_POSTGRES_URL": lake.settings.postgres.url,
        "TIDELAKE_CRASH_AT": point,
    }
    killed = subprocess.run([sys.executable, "-c", REPLAY], env=environment, check=False)
    assert killed.returncode == -signal.SIGKILL

    wide(lake)

    assert len(replayed(lake)) == 1
    assert len(positions(lake.events)) == 301
    require_sound(lake)
