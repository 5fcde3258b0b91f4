"""Real processes killed at every named point, on a disk that forgets what was not synced."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tidelake.crash import POINTS

from .scenarios import killed_care, killed_collector, killed_file_ingest, killed_ingest
from .site import Site
from .tables import Tables

pytestmark = [pytest.mark.crash, pytest.mark.slow]

PASSES = (1, 2, 3, 4, 5)
# Which process passes a point; what passes it as well is named there.
OF_COLLECTOR = [name for name in POINTS if name.startswith(("inbox.", "collect."))]
OF_INGEST = [name for name in POINTS if name.startswith(("encode.", "commit."))]
OF_FILES = [name for name in POINTS if name.startswith("source.")]
OF_CARE = [name for name in POINTS if name.startswith("care.")]
SCENARIOS: list[tuple[str, Callable[..., None]]] = [
    *((point, killed_collector) for point in OF_COLLECTOR),
    *((point, killed_ingest) for point in OF_INGEST),
    *((point, killed_file_ingest) for point in [*OF_FILES, "commit.after_rejects"]),
    *((point, killed_care) for point in OF_CARE),
]


def test_every_named_point_is_tried() -> None:
    assert {point for point, _ in SCENARIOS} == set(POINTS)


@pytest.mark.parametrize(
    ("point", "scenario"), SCENARIOS, ids=lambda of: getattr(of, "__name__", of)
)
def test_every_acknowledged_record_is_in_the_lake_once(
    point: str, scenario: Callable[..., None], site: Site, tables: Tables
) -> None:
    scenario(site, point, PASSES)

    found = site.compare()
    who = scenario.__name__.removeprefix("killed_")
    tables.add_kills(f"{point} ({who})", len(PASSES), found)
    assert found.trouble == []
    assert found.acknowledged >= 100
