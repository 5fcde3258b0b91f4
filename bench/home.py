"""Homes to measure in: a temporary folder with an embedded PostgreSQL, erased at the end."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from bench import processes
from tidelake.settings import Postgres, Settings
from tidelake.warehouse.databases import fresh_database
from tidelake.warehouse.server import EmbeddedPostgres


@contextmanager
def fresh_home() -> Iterator[Path]:
    """An empty home, whose PostgreSQL (should one be started in it) is erased with it."""
    home = Path(tempfile.mkdtemp(prefix="tidelake-bench-"))
    home.chmod(0o755)  # as root PostgreSQL is another user, and must get there
    try:
        yield home
    finally:
        server = EmbeddedPostgres(home)
        server.stop()
        server.erase()
        shutil.rmtree(home)


@dataclass(frozen=True, slots=True)
class Database:
    """A running PostgreSQL for the catalogs of many homes, and what it has used."""

    server: EmbeddedPostgres
    folder: Path

    def cpu_s(self) -> float:
        """CPU-seconds since its start, of all its processes."""
        postmaster = self.folder / "postgres" / "data" / "postmaster.pid"
        return processes.cpu_s(int(postmaster.read_text().split()[0]))

    @contextmanager
    def home(self) -> Iterator[Settings]:
        """The settings of an empty home with an empty database on this server."""
        url = fresh_database(self.server.admin_url, f"bench_{uuid4().hex}", self.server.url)
        with tempfile.TemporaryDirectory(prefix="tidelake-bench-") as folder:
            yield Settings(home=Path(folder), postgres=Postgres(url=url))


@contextmanager
def database() -> Iterator[Database]:
    with fresh_home() as home:
        server = EmbeddedPostgres(home)
        server.start()
        yield Database(server, home)
