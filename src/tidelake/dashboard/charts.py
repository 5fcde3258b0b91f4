"""Charts as Vega-Lite, in one manner: the same height, axes, tooltips and ghost of the time before.

Specifications are plain dictionaries: Streamlit ships Vega, and importing Altair costs a server
0.6 s of CPU and pandas 1 s more. Colours come from the theme (`theme.OPTIONS`), so that a chart
follows light and dark without being drawn anew.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from tidelake.dashboard import formats, markup, vega
from tidelake.dashboard.period import Period
from tidelake.dashboard.vega import GHOST, Moment, Spec, tip

FEW = 3  # points up to which a line needs dots to be seen, and a bar would be a wall
COUNTS = "datum.value < 10000 ? format(datum.value, ',') : format(datum.value, '~s')"


@dataclass(frozen=True, slots=True)
class Unit:
    """How values of a chart are written: on its axis (a Vega expression) and in its tooltips."""

    axis: str
    form: Callable[[float | None], str]


COUNT = Unit(COUNTS, formats.number)
SHARE = Unit("format(datum.value, '.1~%')", formats.percent)
SECONDS = Unit("format(datum.value, '~f') + ' s'", formats.duration)
MILLISECONDS = Unit(
    "datum.value >= 1000 ? format(datum.value / 1000, '.1~f') + ' s' : datum.value + ' ms'",
    formats.milliseconds,
)
# Readable steps of a logarithmic axis.
STEPS = [value * 10**power for power in range(5) for value in (1, 2, 5)]


def money(currency: str) -> Unit:
    """Amounts of one currency."""
    symbol = formats.SYMBOLS.get(currency, "")
    return Unit(f"'{symbol}' + ({COUNTS})", lambda amount: formats.money(amount, currency))


@dataclass(frozen=True, slots=True)
class Point:
    """A value of a series at a day or an hour."""

    at: date | datetime
    value: float | None
    series: str = ""


def moments(period: Period) -> list[date]:
    """Every day of a period: one without events is a zero, not a gap."""
    return [period.first + timedelta(days=n) for n in range(period.days)]


def filled(
    period: Period, found: Mapping[date, float | None], empty: float | None = 0
) -> list[Point]:
    """One point a day."""
    return [Point(at, found.get(at, empty)) for at in moments(period)]


def trend(
    now: Sequence[Point],
    before: Sequence[Point],
    *,
    name: str,
    measure: str,
    unit: Unit = COUNT,
    unfinished: bool = False,
) -> None:
    """A line over an area; the time before lies under it as a ghost, place by place.

    `unfinished` says that the last point is of a day or hour that is not over: the line to it is
    dotted, and nothing stands beside it.
    """
    rows = _with_ghost(now, before, unit, unfinished)
    tooltip = [tip("when", "When"), tip("shown", measure)]
    tooltip += [tip("shown_before", "Period before")] if before else []
    y = vega.value_axis("value", unit.axis)
    own: Spec = {"datum": measure, "type": "nominal", "legend": None}
    line: Spec = {"type": "line", "strokeWidth": 2.2, "strokeJoin": "round"}
    if _stand_alone(now):
        line["point"] = {"size": 70, "filled": True}
    ghost = {"type": "line", "strokeDash": [4, 4], "strokeWidth": 1.6, "color": GHOST}
    layers: list[Spec] = [
        {"mark": {"type": "area", "opacity": 0.13}, "encoding": {"y": y, "color": own}},
        {"mark": line, "encoding": {"y": {**y, "field": "over"}, "color": own}},
        {
            "mark": {**line, "strokeDash": [2, 3]},
            "encoding": {"y": {**y, "field": "open"}, "color": own},
        },
        vega.hover("at", tooltip),
        vega.hovered_dot(y, own),
    ]
    if before:
        layers.insert(0, {"mark": ghost, "encoding": {"y": {**y, "field": "before"}}})
    x = vega.time_axis("at", [point.at for point in now])
    _legend([_span(now) or measure], _span(before))
    vega.draw(rows, {"encoding": {"x": x}, "layer": layers}, name)


def _stand_alone(points: Sequence[Point]) -> bool:
    """Whether a value has no neighbour to be joined with by a line, or there are few of them."""
    known = [False, *(point.value is not None for point in points), False]
    alone = any(
        here and not before and not after
        for before, here, after in zip(known, known[1:], known[2:], strict=False)
    )
    return alone or sum(known) <= FEW


def _span(points: Sequence[Point]) -> str:
    return formats.days(points[0].at, points[-1].at) if points else ""


def _with_ghost(
    now: Sequence[Point], before: Sequence[Point], unit: Unit, unfinished: bool
) -> list[dict[str, Any]]:
    rows = []
    last = len(now) - 1
    for place, point in enumerate(now):
        still = unfinished and place == last
        # Not under what is not over: a whole day beside half of one reads as a fall.
        ghost = before[place] if place < len(before) and not still else None
        told = f"{unit.form(ghost.value)} ({Moment(ghost.at).words})" if ghost else ""
        rows.append(
            {
                "at": Moment(point.at).milliseconds,
                "value": point.value,
                "over": None if still and last else point.value,
                "open": point.value if unfinished and place >= last - 1 else None,
                "before": ghost.value if ghost else None,
                "when": Moment(point.at).words + (", so far" if still else ""),
                "shown": unit.form(point.value),
                "shown_before": told,
            }
        )
    return rows


def lines(points: Sequence[Point], *, name: str, order: Sequence[str], unit: Unit = COUNT) -> None:
    """One line a series, in the order given, which is the order of their colours."""
    line: Spec = {"type": "line", "strokeWidth": 2.2, "strokeJoin": "round"}
    if len({point.at for point in points}) <= FEW:
        line["point"] = {"size": 60, "filled": True}
    y = vega.value_axis("value", unit.axis)
    colour = vega.colour(order)
    # One row a moment with all series, for the tooltip.
    together: dict[date | datetime, dict[str, Any]] = {}
    for point in points:
        row = together.setdefault(point.at, {"when": Moment(point.at).words})
        row[f"shown_{order.index(point.series)}"] = unit.form(point.value)
    rows = [
        {**row, **together[point.at]}
        for row, point in zip(_long(points, unit, order), points, strict=True)
    ]
    tooltip = [tip("when", "When"), *(tip(f"shown_{n}", title) for n, title in enumerate(order))]
    layers = [
        {"mark": line, "encoding": {"y": y, "color": colour}},
        vega.hover("at", tooltip),
        vega.hovered_dot(y, colour),
    ]
    x = vega.time_axis("at", sorted(together, key=lambda at: Moment(at).milliseconds))
    _legend(order)
    vega.draw(rows, {"encoding": {"x": x}, "layer": layers}, name)


def stacked(
    points: Sequence[Point],
    *,
    name: str,
    order: Sequence[str],
    unit: Unit = COUNT,
    counted: str = "Records",
) -> None:
    """Bars, one a moment, made of the series in the order given."""
    found = sorted({point.at for point in points}, key=lambda at: Moment(at).milliseconds)
    mark = {"type": "bar", "width": 48} if len(found) <= FEW else {"type": "bar"}
    spec: Spec = {
        "mark": mark,
        "encoding": {
            "x": vega.band_axis("at", found),
            "y": {**vega.value_axis("value", unit.axis), "stack": "zero"},
            "color": vega.colour(order),
            "order": {"field": "place", "type": "quantitative"},
            "tooltip": [tip("when", "When"), tip("series", "What"), tip("shown", counted)],
        },
    }
    _legend(order)
    vega.draw(_long(points, unit, order), spec, name)


@dataclass(frozen=True, slots=True)
class Bin:
    """A bar of a distribution, between two values."""

    low: float
    high: float
    count: int


def distribution(
    bins: Sequence[Bin], *, name: str, unit: Unit, marked: Mapping[str, float]
) -> None:
    """How often which value; `marked` values get a line with their name."""
    total = sum(item.count for item in bins) or 1
    rows: list[dict[str, Any]] = [
        {
            "low": item.low,
            "high": item.high,
            "share": item.count / total,
            "none": 0.0,
            "range": f"{unit.form(item.low)} – {unit.form(item.high)}",
            "shown": f"{formats.percent(item.count / total)} ({formats.number(item.count)})",
            "mark": None,
            "label": None,
        }
        for item in bins
    ]
    empty = dict.fromkeys(rows[0]) if rows else {}
    rows += [{**empty, "mark": value, "label": label} for label, value in marked.items()]
    axis = {"labelExpr": unit.axis, "grid": False, "title": None, "values": STEPS, "ticks": False,
            "labelPadding": 8, "labelOverlap": "greedy", "labelSeparation": 12}  # fmt: skip
    x = {"type": "quantitative", "axis": axis, "scale": {"type": "log", "nice": False}}
    bars = {
        "transform": [{"filter": "isValid(datum.low)"}],
        "mark": {"type": "rect"},
        "encoding": {
            "x": {**x, "field": "low"},
            "x2": {"field": "high"},
            "y": vega.value_axis("share", SHARE.axis),
            "y2": {"field": "none"},
            "color": {"datum": "share", "legend": None},
            "tooltip": [tip("range", "Between"), tip("shown", "Samples")],
        },
    }
    _legend(["Share of samples"])
    vega.draw(rows, {"layer": [bars, *_marks({**x, "field": "mark"})]}, name)


def _marks(x: Spec) -> list[Spec]:
    only: Spec = {"transform": [{"filter": "isValid(datum.mark)"}]}
    rule = {"type": "rule", "strokeDash": [3, 3], "color": GHOST, "strokeWidth": 1.5}
    words = {"type": "text", "align": "left", "dx": 4, "fontSize": 12, "color": GHOST}
    at_top = {"y": {"value": 8}, "text": {"field": "label"}}
    return [
        {**only, "mark": rule, "encoding": {"x": x}},
        {**only, "mark": words, "encoding": {"x": x, **at_top}},
    ]


def _long(points: Sequence[Point], unit: Unit, order: Sequence[str]) -> list[dict[str, Any]]:
    return [
        {
            "at": Moment(point.at).milliseconds,
            "value": point.value,
            "series": point.series,
            "when": Moment(point.at).words,
            "shown": unit.form(point.value),
            "place": float(order.index(point.series)),
        }
        for point in points
    ]


def _legend(order: Sequence[str], ghost: str = "") -> None:
    import streamlit as st

    st.html(markup.legend(order, ghost))
