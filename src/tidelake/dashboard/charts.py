"""Charts as Vega-Lite, in one manner: the same height, axes, tooltips and ghost of the time before.

Specifications are plain dictionaries: Streamlit ships Vega, and importing Altair costs a server
0.6 s of CPU and pandas 1 s more. Colours come from the theme (`theme.OPTIONS`), so that a chart
follows light and dark without being drawn anew.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from tidelake.dashboard import formats
from tidelake.dashboard.period import Period

HEIGHT = 280
FEW = 3  # points up to which a line needs dots to be seen
GHOST = "#8A99A5"

Spec = dict[str, Any]
Form = Callable[[float | None], str]


@dataclass(frozen=True, slots=True)
class Unit:
    """How values of a chart are written: on its axis (a Vega expression) and in its tooltips."""

    axis: str
    form: Form
    zero: bool = True


COUNT = Unit(
    "datum.value < 10000 ? format(datum.value, ',') : format(datum.value, '~s')", formats.number
)
SHARE = Unit("format(datum.value, '.1~%')", formats.percent)
MILLISECONDS = Unit(
    "datum.value >= 1000 ? format(datum.value / 1000, '.1~f') + ' s' : format(datum.value, '~f') + ' ms'",
    formats.milliseconds,
)
SECONDS = Unit("format(datum.value, '~f') + ' s'", formats.duration)


def money(currency: str) -> Unit:
    symbol = formats.SYMBOLS.get(currency, "")
    return Unit(
        f"'{symbol}' + (datum.value < 10000 ? format(datum.value, ',') : format(datum.value, '~s'))",
        lambda amount: formats.money(amount, currency),
    )


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
    unit: Unit = COUNT,
    measure: str,
    unfinished: bool = False,
    height: int = HEIGHT,
) -> None:
    """A line over an area; the time before lies under it as a ghost, day by day.

    `unfinished` says that the last point is of a day that is not over: the line to it is dotted.
    """
    hourly = any(isinstance(point.at, datetime) for point in now)
    rows = []
    for place, point in enumerate(now):
        ghost = before[place] if place < len(before) else None
        rows.append(
            {
                "at": _milliseconds(point.at),
                "value": point.value,
                "over": None if unfinished and place == len(now) - 1 else point.value,
                "open": point.value if unfinished and place >= len(now) - 2 else None,
                "before": ghost.value if ghost else None,
                "when": _when(point.at)
                + (", so far" if unfinished and place == len(now) - 1 else ""),
                "shown": unit.form(point.value),
                "shown_before": f"{unit.form(ghost.value)} ({_when(ghost.at)})" if ghost else "",
            }
        )
    tooltip = [_tip("when", "When"), _tip("shown", measure)]
    if before:
        tooltip.append(_tip("shown_before", "Period before"))
    y = _y("value", unit)
    line: Spec = {"type": "line", "strokeWidth": 2.2, "interpolate": "monotone"}
    if len(now) <= FEW:
        line["point"] = {"size": 70, "filled": True}
    layers = [
        {
            "mark": {"type": "area", "opacity": 0.13, "interpolate": "monotone"},
            "encoding": {"y": y},
        },
        {"mark": line, "encoding": {"y": {**y, "field": "over"}}},
        {
            "mark": {**line, "strokeDash": [2, 3]},
            "encoding": {"y": {**y, "field": "open"}},
        },
        _hover("at", tooltip),
        _dot("at", y),
    ]
    if before:
        ghost_line = {
            "mark": {"type": "line", "strokeDash": [4, 4], "strokeWidth": 1.6, "color": GHOST,
                     "interpolate": "monotone"},
            "encoding": {"y": {**y, "field": "before"}},
        }  # fmt: skip
        layers.insert(0, ghost_line)
    for layer in layers:
        if layer["mark"].get("color") != GHOST and layer["mark"]["type"] != "rule":
            layer["encoding"]["color"] = {"datum": measure, "type": "nominal", "legend": None}
    _draw(rows, {"encoding": {"x": _x("at", hourly)}, "layer": layers}, name, height)


def lines(
    points: Sequence[Point],
    *,
    name: str,
    order: Sequence[str],
    unit: Unit = COUNT,
    height: int = HEIGHT,
) -> None:
    """One line a series, in the order given, which is the order of their colours."""
    hourly = any(isinstance(point.at, datetime) for point in points)
    line: Spec = {"type": "line", "strokeWidth": 2, "interpolate": "monotone"}
    if len({point.at for point in points}) <= FEW:
        line["point"] = {"size": 60, "filled": True}
    y = _y("value", unit)
    colour = _colour(order)
    layers = [
        {"mark": line, "encoding": {"y": y, "color": colour}},
        _hover("at", [_tip("when", "When"), *_by_series(order)], pivot=True),
        {"mark": {"type": "point", "opacity": 0, "size": 120},
         "encoding": {"y": y, "color": colour,
                      "tooltip": [_tip("when", "When"), _tip("series", "Series"), _tip("shown", "Value")]}},
    ]  # fmt: skip
    _draw(_long(points, unit), {"encoding": {"x": _x("at", hourly)}, "layer": layers}, name, height)


def stacked(
    points: Sequence[Point],
    *,
    name: str,
    order: Sequence[str],
    unit: Unit = COUNT,
    counted: str = "Records",
    height: int = HEIGHT,
) -> None:
    """Bars, one a day, made of the series in the order given."""
    hourly = any(isinstance(point.at, datetime) for point in points)
    x = {**_x("at", hourly), "timeUnit": "utcyearmonthdatehours" if hourly else "utcyearmonthdate"}
    spec: Spec = {
        "mark": {"type": "bar", "cornerRadiusEnd": 1, "binSpacing": 1.5},
        "encoding": {
            "x": x,
            "y": {**_y("value", unit), "stack": "zero"},
            "color": _colour(order),
            "order": {"field": "place", "type": "quantitative"},
            "tooltip": [_tip("when", "When"), _tip("series", "What"), _tip("shown", counted)],
        },
    }
    _draw(_long(points, unit, order), spec, name, height)


@dataclass(frozen=True, slots=True)
class Bin:
    """A bar of a distribution, between two values."""

    low: float
    high: float
    count: int


def distribution(
    bins: Sequence[Bin],
    *,
    name: str,
    unit: Unit,
    marked: Mapping[str, float],
    height: int = HEIGHT,
) -> None:
    """How often which value; `marked` values get a line with their name."""
    total = sum(item.count for item in bins) or 1
    rows: list[dict[str, Any]] = [
        {
            "low": item.low,
            "high": item.high,
            "share": item.count / total,
            "range": f"{unit.form(item.low)} – {unit.form(item.high)}",
            "shown": f"{formats.percent(item.count / total)} ({formats.number(item.count)})",
            "mark": None,
            "label": None,
        }
        for item in bins
    ]
    empty: dict[str, Any] = dict.fromkeys(rows[0] if rows else ())
    rows += [{**empty, "mark": value, "label": label} for label, value in marked.items()]
    x = {"type": "quantitative", "axis": {"labelExpr": unit.axis, "grid": False, "title": None},
         "scale": {"type": "log", "nice": False}}  # fmt: skip
    bar = {
        "transform": [{"filter": "isValid(datum.low)"}],
        "mark": {"type": "bar", "cornerRadiusEnd": 1},
        "encoding": {
            "x": {**x, "field": "low"},
            "x2": {"field": "high"},
            "y": _y("share", SHARE),
            "color": {"datum": "share", "legend": None},
            "tooltip": [_tip("range", "Between"), _tip("shown", "Samples")],
        },
    }
    only_marks = [{"filter": "isValid(datum.mark)"}]
    place: Spec = {"x": {**x, "field": "mark"}}
    rule = {"transform": only_marks, "encoding": place,
            "mark": {"type": "rule", "strokeDash": [3, 3], "color": GHOST, "strokeWidth": 1.5}}  # fmt: skip
    words = {"transform": only_marks,
             "encoding": {**place, "y": {"value": 8}, "text": {"field": "label"}},
             "mark": {"type": "text", "align": "left", "dx": 4, "fontSize": 12, "color": GHOST}}  # fmt: skip
    _draw(rows, {"layer": [bar, rule, words]}, name, height)


def _x(field: str, hourly: bool) -> Spec:
    # UTC: days are those of the reporting zone, whatever zone the browser is in.
    return {
        "field": field,
        "type": "temporal",
        "scale": {"type": "utc"},
        "axis": {
            "title": None,
            "grid": False,
            "format": "%H:%M" if hourly else "%-d %b",
            "tickCount": {"expr": "max(2, floor(width / 84))"},
            "labelOverlap": True,
            "labelFlush": True,
        },
    }


def _y(field: str, unit: Unit) -> Spec:
    axis = {"title": None, "tickCount": 4, "labelExpr": unit.axis, "domain": False, "ticks": False}
    return {
        "field": field,
        "type": "quantitative",
        "axis": axis,
        "scale": {"zero": unit.zero, "nice": True},
    }


def _colour(order: Sequence[str]) -> Spec:
    legend = {"orient": "top", "title": None, "symbolType": "circle", "labelLimit": 180,
              "columns": {"expr": "max(1, floor(width / 130))"}, "offset": 8}  # fmt: skip
    return {
        "field": "series",
        "type": "nominal",
        "scale": {"domain": list(order)},
        "legend": legend,
    }


def _tip(field: str, title: str) -> Spec:
    return {"field": field, "type": "nominal", "title": title}


def _by_series(order: Sequence[str]) -> list[Spec]:
    return [_tip(name.replace(".", "\\.").replace("[", "\\["), name) for name in order]


def _hover(field: str, tooltip: list[Spec], *, pivot: bool = False) -> Spec:
    """A line through the moment next to the pointer, with everything that is known of it."""
    layer: Spec = {
        "mark": {"type": "rule", "color": GHOST, "strokeWidth": 1},
        "params": [
            {
                "name": "near",
                "select": {"type": "point", "fields": [field], "nearest": True,
                           "on": "pointerover", "clear": "pointerout"},
            }
        ],
        "encoding": {
            "opacity": {"condition": {"param": "near", "empty": False, "value": 0.7}, "value": 0},
            "tooltip": tooltip,
        },
    }  # fmt: skip
    if pivot:
        layer["transform"] = [{"pivot": "series", "value": "shown", "groupby": [field, "when"]}]
    return layer


def _dot(field: str, y: Spec) -> Spec:
    return {
        "mark": {"type": "point", "filled": True, "size": 60},
        "encoding": {
            "y": y,
            "opacity": {"condition": {"param": "near", "empty": False, "value": 1}, "value": 0},
        },
    }


def _long(points: Sequence[Point], unit: Unit, order: Sequence[str] = ()) -> list[dict[str, Any]]:
    return [
        {
            "at": _milliseconds(point.at),
            "value": point.value,
            "series": point.series,
            "when": _when(point.at),
            "shown": unit.form(point.value),
            "place": float(order.index(point.series)) if point.series in order else 0.0,
        }
        for point in points
    ]


def _milliseconds(at: date | datetime) -> float:
    """A float: JavaScript reads 64-bit integers of Arrow as another kind of number."""
    if not isinstance(at, datetime):
        at = datetime(at.year, at.month, at.day, tzinfo=UTC)
    return at.replace(tzinfo=at.tzinfo or UTC).timestamp() * 1000


def _when(at: date | datetime) -> str:
    if isinstance(at, datetime):
        return f"{at.day} {at:%b, %H:%M}"
    return f"{at:%a} {at.day} {at:%b %Y}"


def _draw(rows: list[dict[str, Any]], spec: Spec, name: str, height: int) -> None:
    import pyarrow as pa
    import streamlit as st

    full = {
        "height": height,
        "config": {"view": {"stroke": None}, "axis": {"labelFontSize": 12}},
        "padding": {"left": 2, "right": 8, "top": 8, "bottom": 2},
        **spec,
    }
    st.vega_lite_chart(pa.Table.from_pylist(rows), full, width="stretch", alt=name)
