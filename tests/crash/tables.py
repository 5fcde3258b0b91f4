"""What the crash tests print at the end of a run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from .compare import Comparison


@dataclass
class Tables:
    """Rows that the tests have added, in order."""

    kills: list[tuple[str, int, int, int, int]] = field(default_factory=list)
    mutations: list[tuple[str, str]] = field(default_factory=list)

    def add_kills(self, point: str, kills: int, found: Comparison) -> None:
        lost, doubled = len(found.lost), len(found.doubled)
        self.kills.append((point, kills, found.acknowledged, lost, doubled))

    def add_mutation(self, mutation: str, noticed: str) -> None:
        self.mutations.append((mutation, noticed))

    def lines(self) -> Iterator[str]:
        if self.kills:
            yield ""
            head = ("crash point", "kills", "acknowledged", "lost", "doubled")
            total = ("all", *(sum(row[i] for row in self.kills) for i in range(1, 5)))
            yield from table(head, [*sorted(self.kills), total])
        if self.mutations:
            yield ""
            yield from table(("mutation", "what turned red"), self.mutations)


def table(head: Sequence[object], rows: Sequence[Sequence[object]]) -> Iterator[str]:
    """Columns as wide as their widest cell, numbers to the right."""
    cells = [[f"{v:,}" if isinstance(v, int) else str(v) for v in row] for row in [head, *rows]]
    widths = [max(len(row[i]) for row in cells) for i in range(len(head))]
    for number, row in enumerate(cells):
        numeric = [number > 0 and isinstance(rows[number - 1][i], int) for i in range(len(row))]
        yield "  ".join(
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(row, widths, numeric, strict=True)
        ).rstrip()
