"""Settings are read once, at the edge, and a wrong one is named."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tidelake import settings
from tidelake.cli import home_first
from tidelake.cli.app import app
from tidelake.errors import SetupError
from tidelake.pipeline.describe import SETTINGS_FILE, settings_markdown
from tidelake.pipeline.home import make_home
from tidelake.pipeline.lakehouse import catalog_of
from tidelake.settings import Settings

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


@pytest.mark.parametrize("home", ["", " "])
def test_an_empty_home_is_refused(home: str) -> None:
    with pytest.raises(SetupError, match="names no folder"):
        settings.load({"TIDELAKE_HOME": home})
    with pytest.raises(SetupError, match="names no folder"):
        settings.load({}, home=home)


NUMBERS = [
    variable
    for variable, path in settings.names().items()
    if len(path) == 2 and isinstance(getattr(getattr(Settings(), path[0]), path[1]), int | float)
]


@pytest.mark.parametrize("value", ["nan", "inf", "-1", "1e300", "1" + 30 * "0"])
@pytest.mark.parametrize("variable", NUMBERS)
def test_no_number_is_boundless(variable: str, value: str) -> None:
    with pytest.raises(SetupError, match=value.replace("+", ".")):
        settings.load({variable: value})


def test_a_section_that_is_a_value_is_named(tmp_path: Path) -> None:
    file = tmp_path / "tidelake.toml"
    file.write_text("collect = 5\naws = 6\n")

    with pytest.raises(SetupError, match=r"collect = 5: it is a section"):
        settings.load({"TIDELAKE_COLLECT_PORT": "1"}, file)
    with pytest.raises(SetupError, match=r"aws = 6: it is a section"):
        settings.load({"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}, file)


def test_the_hint_for_an_unknown_name_in_the_file_names_no_variable(tmp_path: Path) -> None:
    file = tmp_path / "tidelake.toml"
    file.write_text("[colect]\nport = 1\n")

    with pytest.raises(SetupError, match="colect") as caught:
        settings.load({}, file)
    assert "TIDELAKE_" not in caught.value.hint


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("postgresql://tide:s3cret@db:5432/lake", "postgresql://tide:***@db:5432/lake"),
        ("postgresql://tide:s3@cret@db/lake", "postgresql://tide:***@db/lake"),
        ("postgresql://tide@db/lake?password=s3cret", "postgresql://tide@db/lake?password=***"),
        ("host=db password='s3 cret' user=tide", "host=db password=*** user=tide"),
        ("postgresql://tide@db:5432/lake", "postgresql://tide@db:5432/lake"),
        ("s3://bucket/lake", "s3://bucket/lake"),
    ],
)
def test_a_password_is_masked_and_nothing_else(text: str, said: str) -> None:
    assert settings.masked(text) == said


def test_settings_are_shown_with_their_origin_and_without_passwords(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tidelake.toml").write_text("[inbox]\nkeep_h = 1\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("TIDELAKE_POSTGRES_URL", "postgresql://tide:s3cret@db/lake")

    shown = CliRunner().invoke(app, ["--home", "elsewhere", "settings"]).stdout

    rows = {line.split()[0]: line.split()[1:3] for line in shown.splitlines()}
    assert "s3cret" not in shown
    assert rows["TIDELAKE_POSTGRES_URL"] == ["postgresql://tide:***@db/lake", "environment"]
    assert rows["TIDELAKE_INBOX_KEEP_H"] == ["1.0", "file"]
    assert rows["TIDELAKE_COLLECT_PORT"] == ["8765", "default"]
    assert rows["TIDELAKE_HOME"][1] == "--home"


@pytest.mark.parametrize(
    ("words", "read"),
    [
        (["up", "--home", "X", "--generate", "3"], ["--home", "X", "up", "--generate", "3"]),
        (["lake", "status", "--home=X"], ["--home=X", "lake", "status"]),
        (["ingest", "--", "--home"], ["ingest", "--", "--home"]),
        (["up", "--home"], ["up", "--home"]),
    ],
)
def test_home_may_stand_after_the_command(words: list[str], read: list[str]) -> None:
    assert home_first(words) == read


@pytest.mark.parametrize("place", ["/proc/nope", "/dev/null", "/dev/null/below"])
def test_a_home_that_can_not_be_made_is_said(place: str) -> None:
    with pytest.raises(SetupError, match=place):
        make_home(Path(place))


def test_a_home_is_made_for_its_owner_alone_and_keeps_the_mode_it_has(tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    theirs.chmod(0o755)
    old = os.umask(0)
    try:
        make_home(theirs)
        make_home(tmp_path / "above" / "ours")
    finally:
        os.umask(old)

    # As root others may pass, and not read: the embedded PostgreSQL is another user.
    private = 0o711 if os.geteuid() == 0 else 0o700
    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("theirs", "above/ours")]
    assert modes == [0o755, private]


def test_a_rest_catalog_without_an_address_names_the_variable() -> None:
    read = settings.load({"TIDELAKE_LAKE_CATALOG": "rest"})

    with pytest.raises(SetupError, match="TIDELAKE_LAKE_CATALOG_URI"):
        catalog_of(read, "")


@pytest.mark.parametrize("name", ["plain", "with a blank", "José", "日本"])
def test_the_lake_lies_in_the_home_whatever_the_home_is_called(tmp_path: Path, name: str) -> None:
    read = settings.load({}, home=tmp_path / name)

    assert read.warehouse == f"file://{tmp_path / name / 'lake'}"


@pytest.mark.parametrize("name", ["a#b", "a?b", "a%20b"])
def test_a_folder_that_readers_of_the_lake_would_misread_is_refused(
    tmp_path: Path, name: str
) -> None:
    with pytest.raises(SetupError, match="can not lie at"):
        settings.load({}, home=tmp_path / name)
