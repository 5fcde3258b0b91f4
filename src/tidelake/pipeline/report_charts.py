"""The pictures of a report, as inline SVG: bars over time, and bars of a list.

Colours come from the style sheet by class, so that they print, and each picture says in words what
it shows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor, log10

WIDTH, HEIGHT = 720, 190
LEFT, BOTTOM, TOP = 54, 26, 10
EDGE = 24  # a label at the right end stays within the picture
TICKS = 3
MOST_LABELS = 12


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: `label` below it (empty: none), `title` for whoever points at it."""

    value: float
    label: str
    title: str
    strong: bool = True  # of the period itself; else of the days before


def bars(columns: Sequence[Bar], says: str) -> str:
    """Columns over a scale that begins at nothing."""
    top = nice_top(max((bar.value for bar in columns), default=0))
    step = (WIDTH - LEFT) / max(len(columns), 1)
    drawn = "".join(_column(bar, i, step, top) for i, bar in enumerate(columns))
    return (
        f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(says)}">'
        f"{_grid(top)}{drawn}</svg>"
    )


def share(part: float, whole: float, class_name: str = "") -> str:
    """A bar as long as a part of the whole, for a cell of a table."""
    percent = 100 * part / whole if whole else 0
    name = f"share {class_name}".strip()
    return (
        f'<span class="{name}"><span style="width:{min(max(percent, 0), 100):.1f}%"></span></span>'
    )


def nice_top(most: float) -> float:
    """The end of a scale: 1, 2, 3, 5 or 10 times a power of ten, times the ticks."""
    if most <= 0:
        return float(TICKS)
    wanted = most / TICKS
    power = 10.0 ** floor(log10(wanted))
    for factor in (1, 2, 2.5, 5, 10):
        if wanted <= factor * power:
            # Counts have no fractions.
            return TICKS * (max(ceil(factor * power), 1) if most >= TICKS else factor * power)
    return most


def _grid(top: float) -> str:
    lines = []
    for tick in range(TICKS + 1):
        y = _y(top * tick / TICKS, top)
        lines.append(
            f'<line class="grid" x1="{LEFT}" x2="{WIDTH}" y1="{y:.1f}" y2="{y:.1f}"/>'
            f'<text class="tick" x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">'
            f"{_short(top * tick / TICKS)}</text>"
        )
    return "".join(lines)


def _column(bar: Bar, number: int, step: float, top: float) -> str:
    x, y = LEFT + number * step + step * 0.15, _y(bar.value, top)
    label = ""
    if bar.label:
        at = min(LEFT + (number + 0.5) * step, WIDTH - EDGE)
        label = (
            f'<text class="tick" x="{at:.1f}" y="{HEIGHT - 7}" '
            f'text-anchor="middle">{escape(bar.label)}</text>'
        )
    name, height = "bar" if bar.strong else "bar before", max(HEIGHT - BOTTOM - y, 0)
    return (
        f'<rect class="{name}" x="{x:.1f}" y="{y:.1f}" width="{step * 0.7:.1f}" '
        f'height="{height:.1f}"><title>{escape(bar.title)}</title></rect>{label}'
    )


def _y(value: float, top: float) -> float:
    return HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * value / top


def _short(value: float) -> str:
    for size, unit in ((1e9, "bn"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:g} {unit}"
    return f"{value:g}"


def sparse(labels: Sequence[str]) -> list[str]:
    """So many of the labels that they do not touch; the others are empty."""
    every = ceil(len(labels) / MOST_LABELS) or 1
    return [label if i % every == 0 else "" for i, label in enumerate(labels)]
