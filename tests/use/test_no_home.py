"""Commands that only look make nothing where no pipeline ever was."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tidelake.cli.app import app
from tidelake.cli.demo import _charts
from tidelake.errors import UsageError
from tidelake.settings import Dashboard, Settings


@pytest.mark.parametrize("command", [("trace", "e1"), ("report", "daily"), ("alerts",)])
@pytest.mark.parametrize("exists", [False, True])
def test_a_folder_that_is_no_home_is_named_and_left_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...], exists: bool
) -> None:
    home = tmp_path / "typo"
    if exists:
        home.mkdir()
    monkeypatch.setenv("TIDELAKE_HOME", str(home))

    with pytest.raises(UsageError, match=f"no such home: {re.escape(str(home))}"):
        CliRunner().invoke(app, command, catch_exceptions=False)

    assert list(tmp_path.rglob("*")) == ([home] if exists else [])


@pytest.mark.parametrize(
    ("port", "told"), [(8501, " at http://127.0.0.1:8501"), (0, ", whose URL it prints too")]
)
def test_a_demo_names_no_address_that_nobody_can_open(port: int, told: str) -> None:
    assert _charts(Settings(dashboard=Dashboard(port=port))) == told
