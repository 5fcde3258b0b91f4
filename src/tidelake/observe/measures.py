"""What alert rules may look at: each measure's name, unit and meaning, and a value with its detail.

`pipeline` measures; a value is None where it can not be known just now, which is no alert.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

LAYERS = ("lake", "raw", "silver", "gold")


@dataclass(frozen=True, slots=True)
class Measure:
    """One thing that is measured; `unit` is s, share, bytes or empty for a count."""

    name: str
    unit: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Value:
    """What was measured; `detail` names the part, model or layer that it is about."""

    value: float | None
    detail: str = ""


_ALL = (
    Measure("lake_lag_s", "s", "Age of the oldest record in the inbox that is not in the lake"),
    Measure("raw_lag_s", "s", "Age of the oldest commit of the lake that is not loaded into raw"),
    Measure("silver_lag_s", "s", "Age of the oldest load that silver does not hold"),
    Measure("gold_lag_s", "s", "Age of the oldest load that the published gold does not hold"),
    Measure("reject_share", "share", "Rejected among the records of the last five minutes"),
    Measure("books_wrong", "", "Layers whose ledgers do not add up"),
    Measure("failed_models", "", "Models of silver and gold that fail at the moment"),
    Measure("failed_tests", "", "Data tests of silver and gold that failed when they last ran"),
    Measure("silent_s", "s", "Time since the last word of the part that is silent longest"),
    Measure("troubled_parts", "", "Running parts that report trouble"),
    Measure("postgres_down", "", "1 while PostgreSQL does not answer"),
    Measure(
        "postgres_refuses", "", "1 while it answers and refuses: a password, a right, a schema"
    ),
    Measure("disk_free_share", "share", "Free space on the disk of the home"),
    Measure("disk_free_bytes", "bytes", "Free space on the disk of the home"),
    Measure("inbox_bytes", "bytes", "Segments of the inbox, also those kept for replay"),
    Measure("inbox_records", "", "Records in the inbox that are not in the lake"),
    Measure("set_aside_rows", "", "Rows of the lake that PostgreSQL refused in the last hour"),
)

MEASURES: Mapping[str, Measure] = {measure.name: measure for measure in _ALL}


def shown(name: str, value: float) -> str:
    """A value for people: `95 s`, `12 min`, `3.5 %`, `1.2 GB`."""
    unit = MEASURES[name].unit
    if unit == "s":
        return _duration(value)
    if unit == "share":
        return f"{value * 100:.3g} %"
    if unit == "bytes":
        for size, word in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
            if value >= size:
                return f"{value / size:.1f} {word}"
        return f"{value:.0f} B"
    return f"{value:,.0f}"


def _duration(seconds: float) -> str:
    for length, word in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {word}"
    return f"{seconds:.0f} s"
