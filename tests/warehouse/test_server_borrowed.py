"""Commands that borrow the embedded server, and who stops it in the end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest
from tests.warehouse.servers import ask

from tidelake.warehouse.server import EmbeddedPostgres


def test_the_last_borrower_stops_a_server_that_was_started_to_be_borrowed(
    server: EmbeddedPostgres,
) -> None:
    server.stop()
    other = EmbeddedPostgres(server.folder.parent)
    with server.borrowed() as url:
        with other.borrowed() as same:
            assert ask(same, "select 1") == [(1,)]
        assert ask(url, "select 1") == [(1,)]
    assert not server.running()


@pytest.mark.parametrize("kept_by", ["start", "run_child"])
def test_borrowers_leave_a_server_alone_that_was_started_to_stay(
    server: EmbeddedPostgres, kept_by: str
) -> None:
    server.stop()
    with server.borrowed():
        getattr(server, kept_by)()
    assert server.running()
    with server.borrowed():
        pass
    assert server.running()
    server.stop()


def test_a_borrower_that_was_killed_does_not_keep_the_server_for_ever(
    server: EmbeddedPostgres,
) -> None:
    server.stop()
    script = (
        "import os, pathlib, sys\n"
        "from tidelake.warehouse.server import EmbeddedPostgres\n"
        "with EmbeddedPostgres(pathlib.Path(sys.argv[1])).borrowed():\n"
        "    os.kill(os.getpid(), 9)\n"
    )
    killed = subprocess.run(
        [sys.executable, "-c", script, str(server.folder.parent)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    assert server.running()
    with server.borrowed():
        pass
    assert not server.running()
