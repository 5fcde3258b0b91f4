"""Alerts: rules over time. What began, what goes on, what has ended; and the file that says it.

The state lies in `run/alerts.json` of the home, in the form of a heartbeat, so that the monitor and
the dashboard read it, and whoever evaluates next goes on where the last one ended.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from tidelake.observe import heartbeat
from tidelake.observe.alert_rules import Rule
from tidelake.observe.measures import Value

PART = "alerts"
REMEMBERED = 50  # alerts that have ended
OLD_AFTER_S = 30.0  # a state that was not written for so long is nobody's


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert; times are epoch seconds.

    `since` is when the condition began to hold, `began` when it had held long enough, `ended` when
    it was over (None: it goes on). `value` is what was last measured.
    """

    rule: str
    severity: str
    message: str
    measure: str
    value: float | None
    threshold: float
    since: float
    began: float
    ended: float | None = None


@dataclass(frozen=True, slots=True)
class AlertState:
    """What is known at `at`: alerts that go on, the last that ended, newest first.

    `pending` and `calming` say since when a rule's condition holds, or is over, and has not done so
    for long enough. `values` are the measures of the last look. `trouble` is why the webhook was
    not told.
    """

    at: float = 0.0
    active: tuple[Alert, ...] = ()
    ended: tuple[Alert, ...] = ()
    pending: Mapping[str, float] = field(default_factory=dict)
    calming: Mapping[str, float] = field(default_factory=dict)
    values: Mapping[str, Value] = field(default_factory=dict)
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """An alert that began, or ended."""

    event: str  # begin or end
    alert: Alert


def step(
    rules: Sequence[Rule], values: Mapping[str, Value], now: float, state: AlertState
) -> tuple[AlertState, list[Change]]:
    """The state after one look, and what changed with it.

    A value that is not known leaves its rules as they are. An alert whose rule is gone ends.
    """
    active = {alert.rule: alert for alert in state.active}
    pending, calming = dict(state.pending), dict(state.calming)
    changes: list[Change] = []
    for name in sorted(active.keys() - {rule.name for rule in rules}):
        changes.append(Change("end", replace(active.pop(name), ended=now)))
    for rule in rules:
        seen = values.get(rule.when.measure, Value(None))
        if seen.value is None:
            continue
        if rule.name in active:
            alert = replace(active[rule.name], value=seen.value)
            active[rule.name] = _told_anew(rule, seen, alert)
            if _held(rule, rule.over(seen.value), now, calming):
                ended = replace(active.pop(rule.name), ended=now)
                changes.append(Change("end", ended))
        elif _held(rule, rule.when.holds(seen.value), now, pending):
            since = pending.pop(rule.name)
            active[rule.name] = _begun(rule, seen, since, now)
            changes.append(Change("begin", active[rule.name]))
    known = {rule.name for rule in rules}
    over = [change.alert for change in changes if change.event == "end"]
    return (
        AlertState(
            at=now,
            active=tuple(active.values()),
            ended=(*reversed(over), *state.ended)[:REMEMBERED],
            pending={name: at for name, at in pending.items() if name in known},
            calming={name: at for name, at in calming.items() if name in active},
            values=values,
            trouble=state.trouble,
        ),
        changes,
    )


def read(home: Path) -> AlertState | None:
    """The state as it was last written; None where no pipeline evaluates rules."""
    said = heartbeat.read(home).get(PART)
    return None if said is None else _as_state(said.at, said.values)


def write(home: Path, state: AlertState) -> None:
    heartbeat.beat(home, PART, state.at, asdict(state))


def _held(rule: Rule, true: bool, now: float, since: dict[str, float]) -> bool:
    """Whether it is true and was so for as long as the rule says; `since` remembers when it began.

    A clock that was set back begins the time anew.
    """
    if not true:
        since.pop(rule.name, None)
        return False
    began = min(since.get(rule.name, now), now)
    since[rule.name] = began
    return now - began >= rule.for_s


def _begun(rule: Rule, seen: Value, since: float, now: float) -> Alert:
    return Alert(
        rule=rule.name,
        severity=rule.severity,
        message=rule.told(seen),
        measure=rule.when.measure,
        value=seen.value,
        threshold=rule.when.threshold,
        since=since,
        began=now,
    )


def _told_anew(rule: Rule, seen: Value, alert: Alert) -> Alert:
    """The message says what is, while it is wrong; what ends it would read as if nothing was."""
    if seen.value is None or not rule.when.holds(seen.value):
        return alert
    return replace(alert, message=rule.told(seen), severity=rule.severity)


def _as_state(at: float, values: Mapping[str, Any]) -> AlertState | None:
    try:
        return AlertState(
            at=at,
            active=tuple(Alert(**alert) for alert in values["active"]),
            ended=tuple(Alert(**alert) for alert in values["ended"]),
            pending=dict(values["pending"]),
            calming=dict(values["calming"]),
            values={name: Value(**seen) for name, seen in values["values"].items()},
            trouble=str(values["trouble"]),
        )
    except (KeyError, TypeError):
        return None  # written by another version: worth nothing
