"""The users' documented way in: `pip install -r requirements.txt`, and then everything works.

No make, no activated environment, no PYTHONPATH and no installed `tidelake`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LONGEST_INSTALL_S = 900
LONGEST_RUN_S = 300

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def python() -> Iterator[str]:
    """A fresh environment that had only requirements.txt.

    Installed by uv, which `requirements.txt` itself pins, since it takes a tenth of pip's time and
    reads the same file; `make setup` does the same with pip.
    """
    # A folder of its own and not `tmp_path`: a gigabyte must go whatever happens.
    with tempfile.TemporaryDirectory(prefix="tidelake-install-") as folder:
        venv = Path(folder) / "venv"
        uv = [sys.executable, "-m", "uv"]
        install([*uv, "venv", "--quiet", "--python", sys.executable, str(venv)])
        pip = [*uv, "pip", "install", "--quiet", "--python", str(venv / "bin/python")]
        install([*pip, "--require-hashes", "-r", "requirements.txt"])
        yield str(venv / "bin/python")


def install(command: list[str]) -> None:
    """With the developer's network settings; without HOME, so that their package cache serves."""
    environment = {k: v for k, v in os.environ.items() if k not in ("HOME", "PYTHONPATH")}
    call(command, environment, LONGEST_INSTALL_S)


def test_the_mock_generator_runs(python: str) -> None:
    done = run([python, "apps/mock_generator/main.py", "--count", "10"])

    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(events) == 10
    assert all({"event_id", "event_type", "timestamp"} <= event.keys() for event in events)


def test_the_mock_generator_runs_under_its_other_name(python: str) -> None:
    done = run([python, "apps/mock-generator/main.py", "--count", "1"])

    assert json.loads(done.stdout)["event_id"]


def test_the_tables_are_made_any_number_of_times(python: str) -> None:
    from tidelake.warehouse.server import EmbeddedPostgres

    with tempfile.TemporaryDirectory(prefix="tidelake-home-") as folder:
        home = Path(folder)
        home.chmod(0o755)
        try:
            for _ in range(2):
                run([python, "scripts/init_iceberg_tables.py"], home=home)
            tables = {path.name for path in (home / "lake").glob("**/metadata")}
            assert tables == {"metadata"}
        finally:
            EmbeddedPostgres(home).erase()


def test_every_test_is_found(python: str) -> None:
    done = run([python, "-m", "pytest", "--collect-only", "-q"])

    assert "tests/project/test_users_install.py" in done.stdout


def test_tests_pass(python: str) -> None:
    run([python, "-m", "pytest", "-q", "tests/project/test_setup.py"])


def run(command: list[str], home: Path | None = None) -> subprocess.CompletedProcess[str]:
    """With next to no environment, as a user who has just opened a terminal."""
    environment = {"PATH": os.environ["PATH"]} | ({"TIDELAKE_HOME": str(home)} if home else {})
    return call(command, environment, LONGEST_RUN_S)


def call(
    command: list[str], environment: dict[str, str], timeout_s: float
) -> subprocess.CompletedProcess[str]:
    """Run from the root; shows all output where it fails."""
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=environment,
        timeout=timeout_s,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done
