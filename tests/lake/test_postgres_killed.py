"""PostgreSQL goes down between and during commits, and comes back."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from tidelake.errors import UnavailableError
from tidelake.lake.positions import positions
from tidelake.warehouse.server import EmbeddedPostgres

STREAM = "inbox/7d0c/0"


@pytest.fixture
def server() -> Iterator[EmbeddedPostgres]:
    """A server of its own, to be hurt."""
    home = Path(tempfile.mkdtemp(prefix="tidelake-killed-"))
    home.chmod(0o755)
    made = EmbeddedPostgres(home)
    made.start()
    yield made
    made.stop()
    made.erase()
    shutil.rmtree(home)


def kill(server: EmbeddedPostgres) -> None:
    """As the kernel kills when memory is short; returns once the process is gone."""
    with psycopg.connect(server.admin_url, autocommit=True) as connection:
        row = connection.execute("select pg_read_file('postmaster.pid')").fetchone()
    assert row is not None
    postmaster = psutil.Process(int(str(row[0]).split()[0]))
    postmaster.kill()
    psutil.wait_procs([postmaster], timeout=30)


def test_commits_go_on_over_a_kill_between_and_during_them(
    make_lake: Any, server: EmbeddedPostgres
) -> None:
    lake = make_lake(server.url)
    ranges = [lake.range(n, n + 4, bad={n + 1}) for n in range(1, 16, 5)]
    kills = [1]

    def killed_once(_: Any) -> None:
        if kills:
            kills.pop()
            kill(server)

    # The pause before the second try is where the supervisor brings the server back.
    during = lake.committer(before_swap=killed_once, sleep=lambda _: server.start())
    during.commit([ranges[0]])
    kill(server)
    server.start()
    during.commit([ranges[1]])
    patient = lake.committer()
    kill(server)
    with pytest.raises(UnavailableError, match="in 10 tries"):
        patient.commit([ranges[2]])
    server.start()
    patient.commit([ranges[2]])

    assert positions(lake.events.properties) == {STREAM: 15}
    assert lake.numbers() == [n for n in range(1, 16) if n % 5 != 2]
    assert lake.numbers("rejected_events") == [2, 7, 12]
