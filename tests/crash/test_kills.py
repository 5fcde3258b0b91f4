"""Real processes killed at every named point, on a disk that forgets what was not synced."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from tidelake.crash import POINTS

from .scenarios import killed_care, killed_collector, killed_file_ingest, killed_ingest
from .site import Site
from .tables import Tables

pytestmark = [pytest.mark.crash, pytest.mark.slow]

# The process dies when it passes the point for the nth time; five starts, five kills.
EARLY_AND_LATE = (1, 3, 6, 10, 15)
COMMITS = (1, 2, 3, 4, 5)
FIRST = (1, 1, 1, 1, 1)  # several files may be one commit
REWRITES = (1, 2, 1, 2, 1)  # one a table and look


def _points(*rooms: str) -> list[str]:
    return [name for name in POINTS if name.startswith(rooms)]


Scenario = Callable[[Site, str, Sequence[int]], None]
SCENARIOS: list[tuple[str, Scenario, Sequence[int]]] = [
    *((point, killed_collector, EARLY_AND_LATE) for point in _points("inbox.", "collect.")),
    *((point, killed_ingest, COMMITS) for point in _points("encode.", "commit.")),
    *((point, killed_file_ingest, COMMITS) for point in _points("source.")),
    ("commit.after_rejects", killed_file_ingest, FIRST),
    *((point, killed_care, REWRITES) for point in _points("care.")),
]


# Beyond the lake: test_load_kills.py, and transform's own tests.
AFTER_THE_LAKE = ("load.", "reconcile.", "retention.", "rebuild.", "transform.")


def test_every_named_point_is_tried() -> None:
    of_the_lake = {point for point in POINTS if not point.startswith(AFTER_THE_LAKE)}
    assert {point for point, *_ in SCENARIOS} == of_the_lake


@pytest.mark.parametrize(
    ("point", "scenario", "passes"),
    SCENARIOS,
    ids=[f"{point}-{scenario.__name__}" for point, scenario, _ in SCENARIOS],
)
def test_every_acknowledged_record_is_in_the_lake_once(
    point: str, scenario: Scenario, passes: Sequence[int], site: Site, tables: Tables
) -> None:
    scenario(site, point, passes)

    found = site.compare()
    who = scenario.__name__.removeprefix("killed_")
    tables.add_kills(f"{point} ({who})", len(passes), found)
    assert found.trouble == []
    assert found.acknowledged >= 100
