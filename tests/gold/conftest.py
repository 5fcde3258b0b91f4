from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.gold.stand import Stand

from tidelake.transform.dbt import DbtTarget
from tidelake.transform.project import project_folder


@pytest.fixture(scope="session")
def dbt(tmp_path_factory: pytest.TempPathFactory) -> DbtTarget:
    """The target gold, parsed once: a parse costs as much as twenty windows."""
    return DbtTarget(project_folder(), tmp_path_factory.mktemp("dbt"), "gold", {})


@pytest.fixture
def stand(database_url: str, dbt: DbtTarget, tmp_path: Path) -> Iterator[Stand]:
    with closing(Stand(database_url, dbt, tmp_path)) as stand:
        yield stand
