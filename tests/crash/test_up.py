"""`tidelake up` while its parts are killed and records keep coming in."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from .pipeline import VICTIMS, Pipeline, pipeline
from .site import until
from .storm import storm
from .supply import Supply
from .tables import Tables

pytestmark = [pytest.mark.crash, pytest.mark.slow]

STORM_KILLS = 5


@pytest.fixture
def running(supply: Supply) -> Iterator[Pipeline]:
    with pipeline(supply) as made:
        yield made


def test_each_part_killed_in_turn_is_started_again_and_catches_up(
    running: Pipeline, tables: Tables
) -> None:
    running.start()
    site = running.site
    with site.clients.traffic(lambda: site.url, threads=2):
        for victim in VICTIMS:
            running.wait_until_whole()
            killed = running.kill(victim)
            accepted = sum(site.marks().values())
            until(lambda v=victim, k=killed: _is_another(running, v, k), f"{victim} runs again")
            until(lambda least=accepted: _position(running) >= least, f"caught up after {victim}")
    running.stop()

    found = running.compare()
    tables.add_kills("each part of up", len(VICTIMS), found)
    assert found.trouble == []

    # Then the folder of PostgreSQL is lost, with the catalog in it.
    running.server.erase()
    recovering = site.start("recover")
    assert recovering.wait() == 0, recovering.said()
    assert running.compare().trouble == []


def _is_another(running: Pipeline, victim: str, killed: int | None) -> bool:
    process = running.process(victim)
    return process is not None and process.pid != killed


def _position(running: Pipeline) -> int:
    """0 while the database is away."""
    if not running.server.health().ok:
        return 0
    running.site.database_url = running.server.url
    return running.site.position()


def test_kills_of_random_parts_at_random_moments_lose_and_double_nothing(
    running: Pipeline, tables: Tables
) -> None:
    killed, found = storm(running, STORM_KILLS, random.Random(7), lambda _: None)

    tables.add_kills("random parts of up", killed.total(), found)
    assert found.trouble == []
