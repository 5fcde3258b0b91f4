"""The parts of a page that are HTML: cards, bars, tables, banners, the path of an event.

Every text that comes from outside passes `text`, and nothing else makes HTML: page paths, product
names and event names are whatever somebody sent.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

from tidelake.dashboard import formats
from tidelake.dashboard.period import LONGEST_TEXT

FULL_SIZE = 10  # letters of a figure that fit in a narrow card
REST = "(other)"  # names that gold added up: TIDELAKE_TRANSFORM_NAMES_A_DAY
BLANK = "(blank)"
NOTHING = "Nothing in these days for this choice."


def text(value: object) -> str:
    """Any value as HTML text, also within an attribute."""
    # Not `split()`: it would take no-break spaces for breaks.
    shown = " ".join(part for part in re.split(r"[ \t\r\n\f\v]+", str(value)) if part)
    if len(shown) > LONGEST_TEXT:
        shown = shown[: LONGEST_TEXT - 1] + "…"
    # Control signs, and those that turn the direction of writing, would deceive the reader.
    kept = "".join(
        sign if sign.isprintable() or sign == "\N{NO-BREAK SPACE}" else "�" for sign in shown
    )
    return escape(kept, quote=True)


@dataclass(frozen=True, slots=True)
class Card:
    """One figure. `change` is a relative change, or percentage points where `points` is set."""

    label: str
    value: str
    change: float | None = None
    points: bool = False
    good: str = "up"  # which direction is good: up, down, neither
    note: str = ""
    key: str = ""  # a name that stays, for links and tests

    @property
    def moved(self) -> str:
        if self.change is None:
            return ""
        unit = " pp" if self.points else "%"
        return f"{self._shown:,.{0 if self._shown >= 100 else 1}f}{unit}"

    @property
    def direction(self) -> int:
        """1 up, -1 down; 0 also where what is shown is 0.0."""
        return 0 if self._shown == 0 else 1 if (self.change or 0) > 0 else -1

    @property
    def _shown(self) -> float:
        return round(abs(self.change or 0) * 100, 1)

    @property
    def verdict(self) -> str:
        if self.change is None or self.good == "neither" or self._shown == 0:
            return "even"
        return "good" if (self.change > 0) == (self.good == "up") else "bad"


def cards(items: Sequence[Card], compared: str = "") -> str:
    """A row of figures that wraps; `compared` says with what the changes compare."""
    return f'<div class="tl-cards">{"".join(_card(item, compared) for item in items)}</div>'


def _card(item: Card, compared: str) -> str:
    delta = ""
    if item.change is not None:
        arrow, word = {1: ("▲", "up"), -1: ("▼", "down"), 0: ("●", "unchanged")}[item.direction]
        delta = (
            f'<div class="tl-delta tl-{item.verdict}" title="{text(compared)}">'
            f'<span aria-hidden="true">{arrow}</span> '
            f'<span class="tl-sr">{word} </span>{text(item.moved)}</div>'
        )
    long = " tl-long" if len(item.value) > FULL_SIZE else ""
    note = f'<div class="tl-note">{text(item.note)}</div>' if item.note else ""
    return (
        f'<div class="tl-card" role="group" aria-label="{text(item.label)}" '
        f'data-kpi="{text(item.key or item.label)}">'
        f'<div class="tl-label">{text(item.label)}</div>'
        f'<div class="tl-value{long}">{text(item.value)}</div>{delta}{note}</div>'
    )


@dataclass(frozen=True, slots=True)
class Bar:
    """A line of a list: what it is, how long its bar is, and what stands at its right."""

    label: str
    size: float
    shown: str
    note: str = ""


def bars(items: Sequence[Bar], *, name: str, of: str = "", total: float | None = None) -> str:
    """A list of labelled bars, the longest full or, with `total`, each by its share.

    What gold put together of many names comes last: it is no name among others.
    """
    if not items:
        return nothing()
    items = sorted(items, key=lambda item: item.label == REST)
    named = [item.size for item in items if item.label != REST]
    longest = total or max(named, default=0) or 1
    lines = "".join(_bar(item, longest) for item in items)
    head = (
        f'<div class="tl-barhead" aria-hidden="true"><span>{text(name)}</span>'
        f"<span>{text(of)}</span></div>"
    )
    return f'{head}<ul class="tl-bars" aria-label="{text(name)}: {text(of)}">{lines}</ul>'


def _bar(item: Bar, longest: float) -> str:
    share = max(min(item.size / longest, 1), 0)
    label = item.label if item.label.strip() else BLANK
    rest = " tl-rest" if item.label == REST else ""
    note = f'<span class="tl-barnote">{text(item.note)}</span>' if item.note else ""
    return (
        f'<li class="tl-bar{rest}"><span class="tl-fill" style="--tl-share:{share:.4f}"></span>'
        f'<span class="tl-barlabel" title="{text(label)}">{text(label)}</span>'
        f'<span class="tl-barvalue">{text(item.shown)}{note}</span></li>'
    )


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: `form` makes its values text; numbers stand at the right."""

    key: str
    title: str
    form: Any = str
    right: bool = True
    bar: bool = False  # a bar under the number, by the largest of the column
    note: str = ""  # key of a second, smaller line


def table(
    rows: Sequence[Mapping[str, Any]], columns: Sequence[Column], *, name: str, empty: str = ""
) -> str:
    """A table that scrolls within itself where it is too wide; `empty` is said without rows."""
    if not rows:
        return nothing(empty or NOTHING)
    largest = {
        c.key: max((abs(float(r[c.key] or 0)) for r in rows), default=0) or 1
        for c in columns
        if c.bar
    }
    head = "".join(f'<th scope="col" class="{_side(c)}">{text(c.title)}</th>' for c in columns)
    body = "".join(
        f"<tr>{''.join(_cell(row, column, largest) for column in columns)}</tr>" for row in rows
    )
    return (
        f'<div class="tl-scroll" role="region" tabindex="0" aria-label="{text(name)}">'
        f'<table class="tl-table"><caption class="tl-sr">{text(name)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _side(column: Column) -> str:
    return "tl-right" if column.right else "tl-left"


def _cell(row: Mapping[str, Any], column: Column, largest: Mapping[str, float]) -> str:
    value = row[column.key]
    shown = text(formats.NONE if value is None else column.form(value))
    meter = ""
    if column.bar:
        share = abs(float(value or 0)) / largest[column.key] * 100
        meter = f'<i class="tl-meter" style="--tl-share:{share:.1f}%"></i>'
    title = f' title="{text(value)}"' if not column.right else ""
    note = f"<small>{text(row[column.note])}</small>" if column.note else ""
    return f'<td class="{_side(column)}"{title}>{shown}{meter}{note}</td>'


def banner(kind: str, title: str, detail: str = "") -> str:
    """A sentence over the page; `kind` is info, warning or trouble."""
    # What stands in backticks is a command, here as in the terminal.
    words = re.sub(r"`([^`]+)`", r"<code>\1</code>", text(detail))
    more = f"<div>{words}</div>" if detail else ""
    role = "alert" if kind == "trouble" else "status"
    return (
        f'<div class="tl-banner tl-{text(kind)}" role="{role}">'
        f"<strong>{text(title)}</strong>{more}</div>"
    )


def heading(title: str, detail: str = "") -> str:
    """Title of a block of a page, with a line that says what is counted."""
    more = f"<p>{text(detail)}</p>" if detail else ""
    return f'<div class="tl-head"><h3>{text(title)}</h3>{more}</div>'


def page_title(title: str, detail: str) -> str:
    return f'<div class="tl-title"><h1>{text(title)}</h1><p>{text(detail)}</p></div>'


def nothing(sentence: str = NOTHING) -> str:
    return f'<div class="tl-nothing">{text(sentence)}</div>'


def skeleton() -> str:
    """Grey shapes where a page will be."""
    card = '<div class="tl-card tl-wait"></div>'
    return (
        f'<div aria-busy="true" aria-label="Loading"><div class="tl-cards">{card * 6}</div>'
        '<div class="tl-wait tl-waitchart"></div></div>'
    )


@dataclass(frozen=True, slots=True)
class Heat:
    """A cell of a heat map: a share of 1 and the words on it; none is an empty cell."""

    share: float | None
    shown: str = ""
    title: str = ""
    unfinished: bool = False


def heat_map(
    corner: str,
    columns: Sequence[str],
    lines: Iterable[tuple[str, str, Sequence[Heat]]],
    *,
    name: str,
) -> str:
    """A table whose cells are the darker the larger their share; a line is (label, note, cells)."""
    head = "".join(f'<th scope="col" class="tl-mid">{text(c)}</th>' for c in columns)
    body = "".join(
        f'<tr><th scope="row" class="tl-left">{text(label)}<span>{text(note)}</span></th>'
        f"{''.join(_heat(cell) for cell in cells)}</tr>"
        for label, note, cells in lines
    )
    return (
        f'<div class="tl-scroll" role="region" tabindex="0" aria-label="{text(name)}">'
        f'<table class="tl-table tl-heat"><caption class="tl-sr">{text(name)}</caption>'
        f'<thead><tr><th scope="col" class="tl-left">{text(corner)}</th>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _heat(cell: Heat) -> str:
    if cell.share is None:
        return '<td class="tl-void"></td>'
    # The darkest fifth takes light letters: a figure must be read on every shade.
    strength = max(min(cell.share, 1), 0)
    kind = "tl-deep" if strength > 0.55 else "tl-pale"
    kind += " tl-unfinished" if cell.unfinished else ""
    return (
        f'<td class="tl-mid {kind}" style="--tl-heat:{strength * 100:.0f}%" '
        f'title="{text(cell.title)}">{text(cell.shown)}</td>'
    )


def legend(names: Sequence[str], ghost: str = "") -> str:
    """Names of series with their colours, which are those of the theme, in order; and the ghost."""
    keys = [(f"tl-key{place % 7}", name) for place, name in enumerate(names)]
    keys += [("tl-ghost", ghost)] if ghost else []
    items = "".join(
        f'<li><span class="tl-key {key}" aria-hidden="true"></span>{text(name)}</li>'
        for key, name in keys
    )
    return f'<ul class="tl-legend" aria-label="Series">{items}</ul>'


@dataclass(frozen=True, slots=True)
class FunnelStep:
    """A step: its share of the first, what is written, and the share that it had before."""

    label: str
    share: float
    shown: str
    shown_share: str
    note: str = ""
    before: float | None = None


def funnel(steps: Sequence[FunnelStep], *, compared: str = "") -> str:
    """Bars below each other, each as long as its share; a line marks where it was before."""
    if not steps:
        return nothing()
    shown = "".join(_step(step, compared) for step in steps)
    return f'<ol class="tl-funnel" aria-label="Funnel">{shown}</ol>'


def _step(step: FunnelStep, compared: str) -> str:
    ghost, width = "", min(step.share, 1) * 100
    if step.before is not None:
        title = f"{formats.percent(step.before)} {compared}"
        ghost = f'<i style="left:{min(step.before, 1) * 100:.2f}%" title="{text(title)}"></i>'
    return (
        f'<li><div class="tl-stephead"><b>{text(step.label)}</b><span>{text(step.note)}</span>'
        f"<strong>{text(step.shown)}</strong><em>{text(step.shown_share)}</em></div>"
        f'<div class="tl-track"><span style="width:{width:.2f}%"></span>{ghost}</div>'
        "</li>"
    )


@dataclass(frozen=True, slots=True)
class Chip:
    """A part or a rule and the state that it is in: good, warn, bad, idle."""

    label: str
    state: str
    detail: str = ""


def chips(items: Sequence[Chip], *, name: str) -> str:
    """States side by side; each says its state in words, not by colour alone."""
    shown = "".join(
        f'<li class="tl-chip tl-{text(item.state)}"><span class="tl-dot" aria-hidden="true"></span>'
        f"<b>{text(item.label)}</b><span>{text(item.detail)}</span></li>"
        for item in items
    )
    return f'<ul class="tl-chips" aria-label="{text(name)}">{shown}</ul>'


@dataclass(frozen=True, slots=True)
class Step:
    """A station on an event's way; `done` false: it is not there yet. `detail` is a tooltip."""

    label: str
    where: str
    when: str = ""
    detail: str = ""
    done: bool = True


@dataclass(frozen=True, slots=True)
class Entry:
    """An event with its way: `title`, `facts` beside it, steps below, and a body as received."""

    title: str
    moment: str
    facts: Sequence[str] = ()
    steps: Sequence[Step] = ()
    body: str = ""
    bad: bool = False
    badges: Sequence[str] = field(default_factory=tuple)


def entries(items: Sequence[Entry], *, name: str) -> str:
    shown = "".join(_entry(item) for item in items)
    return f'<ol class="tl-entries" aria-label="{text(name)}">{shown}</ol>'


def _entry(item: Entry) -> str:
    facts = "".join(f"<span>{text(fact)}</span>" for fact in item.facts)
    badges = "".join(f'<span class="tl-badge">{text(badge)}</span>' for badge in item.badges)
    body = f'<pre class="tl-body">{text(item.body)}</pre>' if item.body else ""
    return (
        f'<li class="tl-entry{" tl-rejected" if item.bad else ""}"><div class="tl-entryhead">'
        f"<b>{text(item.title)}</b>{badges}<time>{text(item.moment)}</time>"
        f'<div class="tl-facts">{facts}</div></div>{body}'
        f'<ol class="tl-steps">{"".join(_station(step) for step in item.steps)}</ol></li>'
    )


def _station(step: Step) -> str:
    when = f"<i>{text(step.when)}</i>" if step.when else ""
    return (
        f'<li class="{"tl-done" if step.done else "tl-open"}" title="{text(step.detail)}">'
        f"<b>{text(step.label)}</b>{when}<span>{text(step.where)}</span></li>"
    )
