"""What `tidelake alerts` shows: each rule, its measure as it is now, and what its alert does."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

from tidelake.errors import TidelakeError
from tidelake.observe import alerts
from tidelake.observe.alert_rules import Rule
from tidelake.observe.alerts import AlertState
from tidelake.observe.measures import Value, shown
from tidelake.observe.webhook import shown as address
from tidelake.pipeline.alerts import measure, rules_of
from tidelake.pipeline.alerts import send_test as _send
from tidelake.pipeline.home import require_home
from tidelake.pipeline.measures import of_trouble
from tidelake.settings import Settings
from tidelake.warehouse.connect import borrowed


@dataclass(frozen=True, slots=True)
class RuleNow:
    """A rule as it stands: `state` is alert, begins, ends or empty; `now` is for people."""

    rule: str
    severity: str
    when: str
    holds_for: str
    now: str
    state: str


@dataclass(frozen=True, slots=True)
class AlertReport:
    """`state` is None where no pipeline looks at the rules."""

    at: float
    rules: tuple[RuleNow, ...]
    state: AlertState | None


def report(settings: Settings) -> AlertReport:
    """What the pipeline that runs measured last; everything measured once where none does.

    A share of the last minutes can not be told by one look. Raises `SetupError` for rules that are
    wrong, `UsageError` where there is no home.
    """
    require_home(settings.home)
    rules, now = rules_of(settings), time.time()
    state = alerts.read(settings.home)
    if state is not None and now - state.at > alerts.OLD_AFTER_S:
        state = None
    values = state.values if state is not None and state.values else _measured(settings)
    rows = tuple(_row(rule, values.get(rule.when.measure, Value(None)), state) for rule in rules)
    return AlertReport(now, rows, state)


def _measured(settings: Settings) -> Mapping[str, Value]:
    try:
        with borrowed(settings.home, settings.postgres.url or None) as database:
            return measure(settings, database.url)
    except TidelakeError as exc:
        return of_trouble(exc)


def send_test(settings: Settings, now: float) -> str:
    """Tells the webhook; gives its address without what is secret in it."""
    return address(_send(settings, now))


def _row(rule: Rule, seen: Value, state: AlertState | None) -> RuleNow:
    value = "–" if seen.value is None else shown(rule.when.measure, seen.value)
    detail = f" ({seen.detail})" if seen.detail else ""
    return RuleNow(
        rule=rule.name,
        severity=rule.severity,
        when=f"{rule.when}" + (f", until {rule.until}" if rule.until else ""),
        holds_for=f"{rule.for_s:g} s",
        now=f"{value}{detail}",
        state=_state(rule, state),
    )


def _state(rule: Rule, state: AlertState | None) -> str:
    if state is None:
        return ""
    if rule.name in {alert.rule for alert in state.active}:
        return "ends" if rule.name in state.calming else "alert"
    return "begins" if rule.name in state.pending else ""
