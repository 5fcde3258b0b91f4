"""Real collectors for the tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.collect.running import Running, Start, start_collector, stored


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts collectors of a test's own; all are stopped at its end."""
    running: list[Running] = []

    def starting(toml: str = "", name: str = "home", **environment: str) -> Running:
        running.append(start_collector(tmp_path / name, toml, **environment))
        return running[-1]

    yield starting
    for collector in running:
        collector.stop()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One collector with default settings for the tests of a module."""
    collector = start_collector(tmp_path_factory.mktemp("collector") / "home")
    yield collector
    assert collector.stop() == 0
    assert "Traceback" not in collector.log.read_text()


@pytest.fixture
def collector(shared: Running) -> Running:
    """The shared collector; `rows()` are those of this test only."""
    shared.since = len(stored(shared.home))
    return shared
