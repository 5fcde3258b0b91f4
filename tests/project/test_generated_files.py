"""Files that are made from the code are what the code makes now; `make docs` writes them anew."""

from __future__ import annotations

from pathlib import Path

import pytest

from tidelake.event.export import FILES, export
from tidelake.pipeline.describe import SETTINGS_FILE, settings_markdown

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("language", FILES)
def test_the_exported_schema_is_fresh(language: str) -> None:
    assert (ROOT / FILES[language]).read_text("utf-8") == export(language)


def test_the_table_of_settings_is_fresh() -> None:
    assert (ROOT / SETTINGS_FILE).read_text("utf-8") == settings_markdown()
