"""The messages that docs/troubleshooting.md explains are those that the code gives."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from .documents import ROOT, Document

VALUE = "…"  # in a heading and in what we read from the code: a value stands here
PAGE = Document(ROOT / "docs/troubleshooting.md")


@pytest.mark.parametrize("heading", PAGE.headings_in_code())
def test_the_message_is_one_that_the_code_gives(heading: str) -> None:
    pieces = [re.escape(piece) for piece in re.split(rf"\s*{VALUE}\s*", heading)]
    pattern = re.compile(r"[\s\S]*?".join(pieces))

    assert any(pattern.search(message) for message in messages())


def test_a_message_that_nobody_gives_is_found_out() -> None:
    assert not any("the moon is in the wrong phase" in message for message in messages())


@cache
def messages() -> tuple[str, ...]:
    """Every text in the code, with `VALUE` where it names a value; the setup script as one."""
    files = [*(ROOT / "src").rglob("*.py"), *(ROOT / "tools").glob("*.py")]
    shell = (ROOT / "tools/setup.sh").read_text()
    return (shell, *(text for path in files for text in texts(path)))


def texts(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.JoinedStr):
            yield "".join(map(piece, node.values))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def piece(node: ast.expr) -> str:
    return str(node.value) if isinstance(node, ast.Constant) else VALUE
