"""Parts of Vega-Lite specifications that every chart is made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from tidelake.dashboard import arrow

HEIGHT = 264
MOST_LABELS = 10  # of an axis of time
GHOST = "#8A99A5"
QUIET = "#71818D"  # read on white as on near black

Spec = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Moment:
    """A day or an hour as a chart has it. Always UTC: it shows the days of the reporting zone,
    whatever zone the browser is in."""

    at: date | datetime

    @property
    def milliseconds(self) -> float:
        """A float: JavaScript reads 64-bit integers of Arrow as another kind of number."""
        at = self.at
        if not isinstance(at, datetime):
            at = datetime(at.year, at.month, at.day)
        return at.replace(tzinfo=UTC).timestamp() * 1000

    @property
    def words(self) -> str:
        if isinstance(self.at, datetime):
            return f"{self.at:%a} {self.at.day} {self.at:%b, %H:%M}"
        return f"{self.at:%a} {self.at.day} {self.at:%b %Y}"


def time_axis(field: str, moments: Sequence[date | datetime]) -> Spec:
    """The x of lines. A plain number scale: Vega's own for time puts its ticks where it likes."""
    return {
        "field": field,
        "type": "quantitative",
        "scale": {"zero": False, "nice": False},
        "axis": {**_labels(moments), "labelFlush": True},
    }


def band_axis(field: str, moments: Sequence[date | datetime]) -> Spec:
    """The x of bars, one a moment."""
    return {
        "field": field,
        "type": "ordinal",
        "scale": {"paddingInner": 0.18, "paddingOuter": 0.1},
        "axis": {**_labels(moments), "labelAngle": 0},
    }


def _labels(moments: Sequence[date | datetime]) -> Spec:
    """Some moments at equal distances; where a chart is narrow every second one goes, and so on."""
    hours = [at for at in moments if isinstance(at, datetime)]
    close = bool(hours) and max(hours) - min(hours) <= timedelta(hours=48)
    named = [at for at in moments if close or not isinstance(at, datetime) or at.hour == 0]
    step = max(1, -(-len(named) // MOST_LABELS))
    form = "%H:%M" if close else "%-d %b"
    return {
        "title": None,
        "grid": False,
        "ticks": False,
        "values": [Moment(at).milliseconds for at in named[::step]],
        "labelExpr": f"utcFormat(datum.value, '{form}')",
        "labelOverlap": "parity",
        "labelSeparation": 12,
        "labelPadding": 8,
    }


def value_axis(field: str, axis: str) -> Spec:
    """The y: `axis` is the expression that writes its labels."""
    return {
        "field": field,
        "type": "quantitative",
        "axis": {"title": None, "tickCount": 4, "labelExpr": axis, "domain": False, "ticks": False},
        "scale": {"zero": True, "nice": True},
    }


def colour(order: Sequence[str]) -> Spec:
    """Colours of series by their place in `order`; their names stand above, as HTML."""
    return {
        "field": "series",
        "type": "nominal",
        "scale": {"domain": list(order)},
        "legend": None,
    }


def tip(field: str, title: str) -> Spec:
    return {"field": field, "type": "nominal", "title": title}


def hover(field: str, tooltip: list[Spec]) -> Spec:
    """A line through the moment next to the pointer, with everything that is known of it."""
    near = {"type": "point", "fields": [field], "nearest": True, "on": "pointerover",
            "clear": "pointerout"}  # fmt: skip
    shown = {"condition": {"param": "near", "empty": False, "value": 0.7}, "value": 0}
    return {
        "mark": {"type": "rule", "color": GHOST, "strokeWidth": 1},
        "params": [{"name": "near", "select": near}],
        "encoding": {"opacity": shown, "tooltip": tooltip},
    }


def hovered_dot(y: Spec, colour: Spec) -> Spec:
    """The point on the line where the pointer is."""
    shown = {"condition": {"param": "near", "empty": False, "value": 1}, "value": 0}
    return {
        "mark": {"type": "point", "filled": True, "size": 60},
        "encoding": {"y": y, "color": colour, "opacity": shown},
    }


def draw(rows: list[dict[str, Any]], spec: Spec, name: str, height: int = HEIGHT) -> None:
    """Draws a specification over rows; `name` is what a screen reader says."""
    import streamlit as st

    full = {
        "height": height,
        "config": {
            "view": {"stroke": None},
            "axis": {
                "labelFontSize": 12,
                "labelColor": QUIET,
                "gridColor": GHOST,
                "gridOpacity": 0.28,
            },
        },
        "padding": {"left": 0, "right": 6, "top": 6, "bottom": 0},
        **spec,
    }
    st.vega_lite_chart(arrow.table(rows), full, width="stretch", alt=name)
