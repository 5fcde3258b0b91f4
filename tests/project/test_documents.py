"""Documents are true: what they name exists. As in sqlite-utils' tests/test_docs.py."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer
from typer.core import TyperCommand, TyperGroup

from tidelake import __version__, settings

from .documents import ROOT, Document, documents

DOCUMENTS = [pytest.param(document, id=document.name) for document in documents()]
# A path of ours begins with one of these or is a file at the root.
FOLDERS = {path.name for path in ROOT.iterdir() if path.is_dir()} - {".venv", ".git"}
# What a run makes in the working folder; no part of the repository.
MADE_BY_A_RUN = (".tidelake", ".venv", ".cache")


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_relative_link_leads_to_a_file(document: Document) -> None:
    dead = [link for link in document.links() if not (document.path.parent / link).exists()]

    assert dead == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_path_in_backticks_exists(document: Document) -> None:
    missing = [span for span in document.spans() if is_path_of_ours(span) and not exists(span)]

    assert missing == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_command_in_a_document_exists_with_its_options(document: Document) -> None:
    wrong = [trouble for line in document.code_lines() for trouble in troubles_of_command(line)]

    assert wrong == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_setting_in_a_document_exists(document: Document) -> None:
    named = set(re.findall(r"\bTIDELAKE_[A-Z_]+\b", document.text))
    known = settings.names()

    unknown = {name for name in named if name not in known and not is_no_setting(name)}
    assert unknown == set()


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_make_target_in_a_document_exists(document: Document) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {m[1] for line in document.code_lines() if (m := re.match(r"make ([a-z-]+)", line))}

    assert named - targets == set()


def test_every_command_is_described_in_the_readme() -> None:
    readme = Document(ROOT / "README.md").text

    left_out = [name for name in cli().commands if f"`tidelake {name}`" not in readme]
    assert left_out == []


def test_the_changelog_knows_the_version_and_what_comes_next() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text()

    headings = re.findall(r"^## \[?([^\]\s]+)", changelog, re.MULTILINE)
    assert headings[0] == "Unreleased"
    assert __version__ in headings or len(headings) == 1


def test_decisions_are_numbered_without_gaps() -> None:
    numbers = [int(path.name[:4]) for path in sorted((ROOT / "docs/decisions").glob("[0-9]*.md"))]

    assert numbers == list(range(len(numbers)))


def cli() -> TyperGroup:
    from tidelake.cli.app import app

    command = typer.main.get_command(app)
    assert isinstance(command, TyperGroup)
    return command


def troubles_of_command(line: str) -> list[str]:
    """What is wrong with `tidelake …` in a line of code, read from its first words on.

    `list|show` names two commands; reading ends at a pipe, a comment or a chained command.
    """
    found = re.match(r"(?:\$ )?(?:\.venv/bin/|python -m )?tidelake( .*)?$", line)
    words = re.split(r" [|#]|&&|\\$| > ", found[1] or "")[0].split() if found else []
    return troubles(cli(), words, line)


def troubles(command: TyperCommand | TyperGroup, words: list[str], line: str) -> list[str]:
    known = {"--help"} | {option for param in command.params for option in param.opts}
    for at, word in enumerate(words):
        option = word.split("=")[0].strip("[]…")
        if option.startswith("--") and option not in known:
            return [f"{line!r}: no option {option}"]
        if isinstance(command, TyperGroup) and re.fullmatch(r"[a-z][a-z|/-]*", word):
            names = re.split(r"[|/]", word)
            missing = [name for name in names if name not in command.commands]
            if missing:
                return [f"{line!r}: no command {missing[0]}"]
            return troubles(command.commands[names[0]], words[at + 1 :], line)
    return []


def is_path_of_ours(span: str) -> bool:
    if not re.fullmatch(r"[\w.@{},*/-]+", span) or span.startswith(MADE_BY_A_RUN):
        return False
    first, *rest = span.split("/")
    return bool(rest) and first in FOLDERS


def exists(span: str) -> bool:
    """Whether the path is there; `{a,b}` stands for several, `*` for any."""
    braces = re.search(r"\{([^}]+)\}", span)
    if braces:
        return all(exists(span.replace(braces[0], part)) for part in braces[1].split(","))
    return any(True for _ in ROOT.glob(span.rstrip("/")))


def is_no_setting(name: str) -> bool:
    return name.startswith(settings.NOT_SETTINGS)


def test_a_document_that_names_what_is_not_there_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("See [this](gone.md) and `src/gone.py`.\n\n    tidelake conjure --now\n")
    document = Document(page)

    assert document.links() == ["gone.md"]
    assert [span for span in document.spans() if is_path_of_ours(span)] == ["src/gone.py"]
    assert troubles_of_command("tidelake conjure --now")
    assert not exists("src/gone.py")
