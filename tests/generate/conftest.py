"""One fortnight of generated events, made once for the whole folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.generate.fortnight import FORTNIGHT, Questions

from tidelake.generate import generate
from tidelake.generate.file_sink import write_file


@pytest.fixture(scope="session")
def fortnight_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("generate") / "fortnight.ndjson"
    write_file(path, generate(FORTNIGHT))
    return path


@pytest.fixture(scope="session")
def fortnight(fortnight_file: Path) -> Iterator[Questions]:
    """Tables: `events`, one row a line, in order."""
    questions = Questions(fortnight_file)
    yield questions
    questions.close()
