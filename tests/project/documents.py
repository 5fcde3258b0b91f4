"""Reading our own Markdown: its links, its code, the commands and settings that it names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# Folders that other tools fill; their Markdown is not ours.
FOREIGN = {"node_modules", "target", "build", "dist"}

_FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
_INDENTED = re.compile(r"^(?: {4}|\t).*$", re.MULTILINE)
_SPAN = re.compile(r"`([^`\n]+)`")
_HEADING = re.compile(r"^#+ .*$", re.MULTILINE)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


@dataclass(frozen=True)
class Document:
    """One Markdown file; `name` is its path from the root."""

    path: Path

    @property
    def name(self) -> str:
        return self.path.relative_to(ROOT).as_posix()

    @property
    def text(self) -> str:
        return self.path.read_text("utf-8")

    def links(self) -> list[str]:
        """Targets of links to files, without anchors; links to the web are left out."""
        targets = _LINK.findall(self._prose())
        return [target.split("#")[0] for target in targets if not _is_web(target)]

    def spans(self) -> list[str]:
        """What stands in backticks within prose, without headings."""
        return _SPAN.findall(_HEADING.sub("", self._prose()))

    def headings_in_code(self) -> list[str]:
        """Headings that stand in backticks as a whole."""
        return re.findall(r"^#+ `(.*)`$", self.text, re.MULTILINE)

    def code_lines(self) -> list[str]:
        """Lines of code blocks and code spans: where a command may stand."""
        blocks = _FENCE.findall(self.text) + _INDENTED.findall(self.text)
        return [line.strip() for block in blocks for line in block.splitlines()] + self.spans()

    def _prose(self) -> str:
        return _INDENTED.sub("", _FENCE.sub("", self.text))


def documents() -> list[Document]:
    """Every Markdown file of the project, in order of name."""
    return [Document(path) for path in sorted(_markdown(ROOT))]


def _markdown(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.is_dir():
            if not path.name.startswith(".") and path.name not in FOREIGN:
                yield from _markdown(path)
        elif path.suffix == ".md":
            yield path


def _is_web(target: str) -> bool:
    return target.startswith(("http://", "https://", "mailto:", "#"))
