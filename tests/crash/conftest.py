"""A site per test, and the tables at the end of the run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tidelake.warehouse.server import EmbeddedPostgres

from .site import Site
from .supply import Supply
from .tables import Tables

TABLES = pytest.StashKey[Tables]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[TABLES] = Tables()


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    for line in config.stash[TABLES].lines():
        terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def tables(pytestconfig: pytest.Config) -> Tables:
    return pytestconfig.stash[TABLES]


@pytest.fixture(scope="session")
def supply() -> Supply:
    return Supply(seed=20_261_124)


@pytest.fixture
def new_site(
    tmp_path: Path, database_url: str, postgres_server: EmbeddedPostgres, supply: Supply
) -> Iterator[Callable[..., Site]]:
    """Makes the test's site; all that it started is killed at the end."""
    made: list[Site] = []

    def make(**given: object) -> Site:
        named = {
            "home": tmp_path / "home",
            "database_url": database_url,
            "admin_url": postgres_server.admin_url,
            "supply": supply,
        }
        made.append(Site(**{**named, **given}))  # type: ignore[arg-type]  # as the caller says
        return made[-1]

    yield make
    for site in made:
        site.stop()


@pytest.fixture
def site(new_site: Callable[..., Site]) -> Site:
    return new_site()
