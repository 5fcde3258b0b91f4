"""Settings are read once, at the edge, and a wrong one is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from tidelake import settings
from tidelake.errors import SetupError
from tidelake.pipeline.describe import SETTINGS_FILE, settings_markdown

ROOT = Path(__file__).parents[2]


def test_the_environment_wins_over_the_file_and_the_file_over_the_default(tmp_path: Path) -> None:
    file = tmp_path / "tidelake.toml"
    file.write_text('[collect]\nport = 1000\nhost = "0.0.0.0"\n')

    read = settings.load({"TIDELAKE_COLLECT_PORT": "2000"}, file)

    assert (read.collect.port, read.collect.host, read.collect.workers) == (2000, "0.0.0.0", 1)


def test_the_home_option_wins_over_the_variable(tmp_path: Path) -> None:
    read = settings.load({"TIDELAKE_HOME": "/elsewhere"}, home=tmp_path)

    assert read.home == tmp_path
    assert read.warehouse == (tmp_path / "lake").as_uri()


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("TIDELAKE_COLLECT_PORT", "99999", "collect.port = '99999'"),
        ("TIDELAKE_PROCESS_WORKERS", "many", "process.workers = 'many'"),
        ("TIDELAKE_LAKE_CATALOG", "hive", "lake.catalog = 'hive'"),
        ("TIDELAKE_COLECT_PORT", "1", "TIDELAKE_COLECT_PORT is no setting"),
    ],
)
def test_a_wrong_setting_is_named_with_its_value(variable: str, value: str, said: str) -> None:
    with pytest.raises(SetupError, match=said):
        settings.load({variable: value})


def test_a_file_with_an_unknown_name_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "tidelake.toml"
    file.write_text("[collect]\nprot = 1\n")

    with pytest.raises(SetupError, match=r"collect\.prot"):
        settings.load({}, file)


@pytest.mark.parametrize("text", ["[collect", "\x00", "port = "])
def test_a_broken_file_says_which(tmp_path: Path, text: str) -> None:
    file = tmp_path / "broken.toml"
    file.write_text(text)

    with pytest.raises(SetupError, match=r"broken\.toml"):
        settings.load({"TIDELAKE_CONFIG": str(file)})


def test_a_write_key_is_kept_hashed(tmp_path: Path) -> None:
    file = tmp_path / "tidelake.toml"
    file.write_text('[collect.keys.shop]\nsha256 = "secret"\n')

    with pytest.raises(SetupError, match=r"collect\.keys\.shop\.sha256"):
        settings.load({}, file)


def test_settings_can_not_be_changed_after_they_are_read() -> None:
    read = settings.load({})

    with pytest.raises(ValueError, match="frozen"):
        read.collect.port = 1  # type: ignore[misc] # that it is refused is the point


def test_the_table_of_settings_in_the_docs_is_fresh() -> None:
    assert (ROOT / SETTINGS_FILE).read_text("utf-8") == settings_markdown()


def test_every_setting_says_what_it_is() -> None:
    assert "None" not in settings_markdown().replace("`null`", "")
