"""What every test stands on: an environment of its own, and one PostgreSQL for the whole run."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tidelake.warehouse.server import EmbeddedPostgres

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session", autouse=True)
def clean_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test sees the developer's settings, credentials or home; child processes find `src`."""
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith(("TIDELAKE_", "AWS_")):
                patch.delenv(name)
        patch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
        # Without it boto3 asks the network for credentials wherever none are set.
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        patch.setenv("PYTHONPATH", str(ROOT / "src"), prepend=os.pathsep)
        yield


@pytest.fixture(scope="session", autouse=True)
def children_hear_ctrl_c() -> None:
    """A shell starts what it runs in the background deaf to Ctrl-C, and children inherit that."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[EmbeddedPostgres]:
    """The embedded PostgreSQL, started once a run and removed with its data at the end."""
    from tidelake.warehouse.server import EmbeddedPostgres

    # Not below pytest's own folder: that one is 0700, and as root the server is another user.
    home = Path(tempfile.mkdtemp(prefix="tidelake-tests-"))
    home.chmod(0o755)
    server = EmbeddedPostgres(home)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        server.erase()
        shutil.rmtree(home)


@pytest.fixture
def database_url(postgres_server: EmbeddedPostgres) -> str:
    """URL of an empty database; the one of the test before is dropped, so that disks stay small."""
    from tidelake.warehouse.databases import fresh_database

    return fresh_database(postgres_server.admin_url, "test", postgres_server.url)
