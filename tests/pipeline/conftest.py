"""A home of its own for each test, on the run's one PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

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
