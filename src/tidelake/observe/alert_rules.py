"""Alert rules: a YAML file becomes rules, or an error that names the rule and what to mend."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, get_args

from tidelake.errors import SetupError
from tidelake.observe.measures import MEASURES, Value, shown

Severity = Literal["info", "warning", "critical"]

COMPARE: Mapping[str, Callable[[float, float], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
}
CONDITION = re.compile(r"\s*(\w+)\s*(>=|<=|==|!=|>|<)\s*(-?\d+(?:\.\d+)?)\s*(%?)\s*")
DURATION = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(s|m|h|d)?\s*")
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
FIELDS = {"name", "when", "until", "for", "severity", "message"}
PLACES = {"value": "", "threshold": "", "detail": "", "rule": ""}


@dataclass(frozen=True, slots=True)
class Condition:
    """`measure > threshold`."""

    measure: str
    sign: str
    threshold: float

    def holds(self, value: float) -> bool:
        return COMPARE[self.sign](value, self.threshold)

    def __str__(self) -> str:
        return f"{self.measure} {self.sign} {self.threshold:g}"


@dataclass(frozen=True, slots=True)
class Rule:
    """An alert begins when `when` has held for `for_s`, and ends when `over` has held as long."""

    name: str
    when: Condition
    until: Condition | None  # None: as soon as `when` does not hold
    for_s: float
    severity: Severity
    message: str

    def over(self, value: float) -> bool:
        """Whether this value is one at which the alert may end."""
        return self.until.holds(value) if self.until else not self.when.holds(value)

    def told(self, seen: Value) -> str:
        """The message, with what was measured in its places."""
        measure, value = self.when.measure, seen.value
        places = {
            "value": "unknown" if value is None else shown(measure, value),
            "threshold": shown(measure, self.when.threshold),
            "detail": seen.detail,
            "rule": self.name,
        }
        return self.message.format_map(places)


def load_rules(path: Path | None) -> tuple[Rule, ...]:
    """The rules of a file, or those that come with tidelake. Raises `SetupError`."""
    try:
        if path is None:
            return parse_rules((files(__package__) / "alert_rules.yaml").read_text("utf-8"))
        return parse_rules(path.read_text("utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as exc:
        raise SetupError(
            f"the alert rules in {path} can not be read: {exc}",
            hint="Mend TIDELAKE_ALERTS_RULES, or unset it for the rules that come with tidelake.",
        ) from exc


def parse_rules(text: str, place: str = "the alert rules") -> tuple[Rule, ...]:
    """The rules in a YAML text; raises `SetupError` that names the first rule that is wrong."""
    import yaml

    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as exc:
        raise _wrong(place, f"it is no YAML: {exc}") from exc
    if not isinstance(document, dict) or set(document) != {"rules"}:
        raise _wrong(place, "it holds one list, `rules:`")
    entries = document["rules"] or []
    if not isinstance(entries, list):
        raise _wrong(place, "`rules:` is a list")
    rules: dict[str, Rule] = {}
    for number, entry in enumerate(entries, 1):
        rule = _rule(entry, place, number)
        if rule.name in rules:
            raise _wrong(place, "another rule has this name", rule.name)
        rules[rule.name] = rule
    return tuple(rules.values())


def _rule(entry: Any, place: str, number: int) -> Rule:
    if not isinstance(entry, dict):
        raise _wrong(place, f"it is {entry!r}, not fields", f"number {number}")
    name = str(entry.get("name", ""))
    if not NAME.fullmatch(name):
        raise _wrong(place, f"its name is {name!r}: small letters, digits, - _", f"number {number}")
    if strange := sorted(map(str, set(entry) - FIELDS)):
        known = ", ".join(sorted(FIELDS))
        raise _wrong(place, f"it has a field {strange[0]!r}, and fields are {known}", name)
    when = _condition(entry.get("when"), "when", place, name)
    until = entry.get("until")
    severity = entry.get("severity", "warning")
    if severity not in get_args(Severity):
        raise _wrong(place, f"severity is {severity!r}, not one of {get_args(Severity)}", name)
    return Rule(
        name=name,
        when=when,
        until=None if until is None else _end(until, when, place, name),
        for_s=_duration(entry.get("for", 0), place, name),
        severity=severity,
        message=_message(entry.get("message"), when, place, name),
    )


def _condition(text: Any, field: str, place: str, name: str) -> Condition:
    found = CONDITION.fullmatch(str(text or ""))
    if found is None:
        raise _wrong(place, f"{field} is {text!r}, and looks like `gold_lag_s > 60`", name)
    measure, sign, number, percent = found.groups()
    if measure not in MEASURES:
        raise _wrong(place, f"{measure!r} is no measure; there are {', '.join(MEASURES)}", name)
    return Condition(measure, sign, float(number) / (100 if percent else 1))


def _end(text: Any, when: Condition, place: str, name: str) -> Condition:
    """What ends an alert: of the same measure, and never true while it begins."""
    until = _condition(text, "until", place, name)
    if until.measure != when.measure:
        raise _wrong(place, f"until is about {until.measure}, and when about {when.measure}", name)
    ends = (when.threshold, until.threshold)
    # Of two half-lines that meet, one of these is in both.
    values = (min(ends) - 1, *ends, sum(ends) / 2, max(ends) + 1)
    if any(when.holds(value) and until.holds(value) for value in values):
        raise _wrong(place, f"until ({until}) can hold together with when ({when})", name)
    return until


def _duration(text: Any, place: str, name: str) -> float:
    found = DURATION.fullmatch(str(text))
    if found is None:
        raise _wrong(place, f"for is {text!r}, and looks like 30s, 2m or 1h", name)
    return float(found[1]) * SECONDS[found[2] or "s"]


def _message(text: Any, when: Condition, place: str, name: str) -> str:
    if text is None:
        return f"{when.measure} is {{value}} ({when.sign} {{threshold}})"
    try:
        str(text).format_map(PLACES)
    except (KeyError, IndexError, ValueError, AttributeError) as exc:
        places = ", ".join(f"{{{place}}}" for place in PLACES)
        raise _wrong(place, f"its message has a place {exc}; there are {places}", name) from exc
    return str(text)


def _wrong(place: str, what: str, rule: str = "") -> SetupError:
    named = f"{place}, rule {rule}" if rule else place
    return SetupError(f"{named}: {what}", hint="docs/alerts.md shows rules and measures.")
