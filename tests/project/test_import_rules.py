"""What the import-linter contracts in pyproject.toml cannot say: rules outside the package."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# A deployable is a few lines over what `pipeline` and `cli` offer.
DOORS = ("tidelake.pipeline", "tidelake.cli")
LONGEST_FILE = 400

ENTRIES = sorted([*ROOT.glob("apps/*/*.py"), *ROOT.glob("scripts/**/*.py")])
SOURCES = sorted((ROOT / "src").rglob("*.py"))


def test_there_are_apps_and_scripts() -> None:
    """The paths that users were promised; without them the next test would judge nothing."""
    promised = ["apps/mock_generator/main.py", "scripts/init_iceberg_tables.py"]

    assert [path for path in promised if ROOT / path not in ENTRIES] == []


@pytest.mark.parametrize("path", ENTRIES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_apps_and_scripts_come_in_through_pipeline_or_cli(path: Path) -> None:
    ours = {name for name in imports(path) if name.split(".")[0] == "tidelake"}

    assert {name for name in ours if not name.startswith(DOORS)} == set()


def test_no_source_file_is_too_long_to_read() -> None:
    lengths = {path.relative_to(ROOT): len(path.read_text().splitlines()) for path in SOURCES}

    assert {path: length for path, length in lengths.items() if length > LONGEST_FILE} == {}


def imports(path: Path) -> set[str]:
    """Full names of the modules that a file imports, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            # `from tidelake import pipeline` imports tidelake.pipeline.
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found
