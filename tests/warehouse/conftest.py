"""Real servers: that of the whole run, and as many of their own as tests want to hurt."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tidelake.warehouse.migrate import migrate
from tidelake.warehouse.server import EmbeddedPostgres

StartServer = Callable[[str], EmbeddedPostgres]


@pytest.fixture(scope="session")
def shelter() -> Iterator[Path]:
    """What /var/lib/tidelake is outside of tests: a folder that every user may enter."""
    folder = Path(tempfile.mkdtemp(prefix="tidelake-shelter-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def url(database_url: str) -> str:
    """A new database with every migration."""
    migrate(database_url)
    return database_url


@pytest.fixture(scope="module")
def one_home(tmp_path_factory: pytest.TempPathFactory, shelter: Path) -> Iterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(tmp_path_factory.mktemp("one_home"), shelter=shelter)
    yield server
    server.erase()


@pytest.fixture
def server(one_home: EmbeddedPostgres) -> EmbeddedPostgres:
    """A running server that the test may stop and kill, as long as it starts again."""
    one_home.start()
    return one_home


@pytest.fixture
def embedded(tmp_path: Path, shelter: Path) -> Iterator[StartServer]:
    """Makes the server of a home of the given name; all are erased at the end."""
    made: list[EmbeddedPostgres] = []

    def of(name: str = "home") -> EmbeddedPostgres:
        made.append(EmbeddedPostgres(tmp_path / name, shelter=shelter))
        return made[-1]

    yield of
    for server in made:
        server.erase()
