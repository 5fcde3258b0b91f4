"""A home of its own for each test, on the run's one PostgreSQL."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.pipeline.running import STOP_WITHIN_S, read_until, tidelake

from tidelake import settings
from tidelake.pipeline.lakehouse import Lakehouse, opened
from tidelake.settings import Settings


@pytest.fixture
def home_settings(tmp_path: Path, database_url: str) -> Settings:
    """Settings of an empty home: one worker, a free port, an empty database."""
    return settings.load(
        {
            "TIDELAKE_POSTGRES_URL": database_url,
            "TIDELAKE_PROCESS_WORKERS": "1",
            "TIDELAKE_COLLECT_PORT": "0",
        },
        home=tmp_path / "home",
    )


@pytest.fixture
def lakehouse(home_settings: Settings) -> Iterator[Lakehouse]:
    with opened(home_settings) as open_lakehouse:
        yield open_lakehouse


@pytest.fixture
def running(home_settings: Settings) -> Iterator[subprocess.Popen[str]]:
    process = tidelake(home_settings, "up")
    try:
        read_until(process, "running")
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=STOP_WITHIN_S)
        assert process.stdout is not None
        process.stdout.close()
