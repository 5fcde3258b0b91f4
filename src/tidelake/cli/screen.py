"""Tables for people: coloured and fitted on a terminal, plain and in full in a pipe."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TextIO, cast

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

BLANKS = re.compile(r" +\n")
PIPE_WIDTH = 10_000  # characters: in a pipe nothing is wrapped or cut


def console() -> Console:
    """The console of a command; without a terminal it has no colour and no width."""
    from rich.console import Console

    found = Console(highlight=False)
    if found.is_terminal:
        return found
    # Rich fills every cell up to its column's width, the last one of a line too.
    trimmed = cast("TextIO", _Trimmed(sys.stdout))
    return Console(file=trimmed, highlight=False, width=PIPE_WIDTH)


class _Trimmed(io.TextIOBase):
    """Writes lines on, without the blanks at their ends."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def write(self, text: str) -> int:
        return self._out.write(BLANKS.sub("\n", text))

    def flush(self) -> None:
        self._out.flush()


def table(
    columns: Sequence[str], rows: Iterable[Sequence[object]], right: str | Collection[str] = ""
) -> Table:
    """A table without lines; the columns named in `right` (one text: by blanks) hold numbers."""
    from rich.table import Table
    from rich.text import Text

    numbers = set(right.split() if isinstance(right, str) else right)
    made = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for name in columns:
        is_number = name in numbers
        made.add_column(
            name, justify="right" if is_number else "left", overflow="fold", no_wrap=is_number
        )
    for row in rows:
        made.add_row(*(Text(shown(value)) for value in row))
    return made


def shown(value: object) -> str:
    """A value as a cell."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
    return harmless(str(value))


def harmless(text: str) -> str:
    """Text in one line, without characters that a terminal would act on: clients wrote it."""
    return text if text.isprintable() else "".join(c if c.isprintable() else "\ufffd" for c in text)


def size(count: float) -> str:
    """Bytes for people: `3.4 MB`."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} B" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def ago(seconds: float | None) -> str:
    """An age for people: `4 s ago`, `3 h ago`."""
    if seconds is None:
        return "never"
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= length:
            return f"{seconds / length:.0f} {unit} ago"
    return f"{seconds:.0f} s ago"
