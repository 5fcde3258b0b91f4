"""An alert begins when its condition has held long enough, and ends when that is over as long."""

from __future__ import annotations

from pathlib import Path

from tidelake.observe import alerts
from tidelake.observe.alert_rules import parse_rules
from tidelake.observe.alerts import AlertState, step
from tidelake.observe.measures import Value

RULES = parse_rules("""
rules:
  - {name: late, when: gold_lag_s > 60, until: gold_lag_s < 30, for: 10s, message: "{value} late"}
  - {name: failed, when: failed_models > 0, message: "{detail} failed"}
""")


def run(*looks: tuple[float, float | None], state: AlertState | None = None) -> list[str]:
    """Events of the rule `late`, with their times, after looks (time, lag)."""
    told, state = list[str](), state or AlertState()
    for now, lag in looks:
        state, changes = step(RULES, {"gold_lag_s": Value(lag)}, now, state)
        told += [f"{change.event} {now:g}" for change in changes]
    return told


def test_it_begins_once_the_condition_has_held_for_the_time_of_the_rule() -> None:
    assert run((0, 61), (9, 70), (10, 80), (20, 90)) == ["begin 10"]


def test_one_good_look_begins_the_time_anew() -> None:
    assert run((0, 61), (9, 10), (12, 61), (21, 61)) == []


def test_it_ends_once_the_end_has_held_as_long_and_not_in_between() -> None:
    begun = ((0, 61), (10, 61))

    assert run(*begun, (11, 40), (30, 40)) == ["begin 10"]
    assert run(*begun, (11, 29), (15, 40), (21, 29), (30, 29), (31, 29)) == ["begin 10", "end 31"]


def test_a_value_that_is_not_known_changes_nothing() -> None:
    assert run((0, 61), (5, None), (10, 61), (12, None), (40, None)) == ["begin 10"]


def test_a_clock_that_was_set_back_begins_the_time_anew() -> None:
    assert run((1000, 61), (100, 61), (109, 61), (110, 61)) == ["begin 110"]


def test_a_rule_without_a_time_begins_and_ends_at_once() -> None:
    state = AlertState()
    told = []
    for now, failed in ((0, 1), (1, 1), (2, 0)):
        values = {"failed_models": Value(failed, "sessions")}
        state, changes = step(RULES, values, now, state)
        told += [(change.event, change.alert.message) for change in changes]

    assert told == [("begin", "sessions failed"), ("end", "sessions failed")]
    assert [(alert.began, alert.ended) for alert in state.ended] == [(0, 2)]


def test_the_message_follows_the_value_while_it_is_wrong() -> None:
    state = AlertState()
    for now, lag in ((0, 61), (10, 80), (20, 7200), (25, 40)):
        state, _ = step(RULES, {"gold_lag_s": Value(lag)}, now, state)

    (alert,) = state.active
    assert (alert.message, alert.value, alert.since, alert.began) == ("2 h late", 40, 0, 10)


def test_an_alert_whose_rule_is_gone_ends() -> None:
    state, _ = step(RULES, {"failed_models": Value(1)}, 0, AlertState())
    after, changes = step(RULES[:1], {}, 5, state)

    assert [change.event for change in changes] == ["end"]
    assert after.active == ()


def test_the_state_is_written_and_read_whole(tmp_path: Path) -> None:
    state, _ = step(
        RULES, {"failed_models": Value(1, "x"), "gold_lag_s": Value(99)}, 5, AlertState()
    )
    alerts.write(tmp_path, state)

    assert alerts.read(tmp_path) == state
    assert run((15, 99), state=alerts.read(tmp_path)) == ["begin 15"]


def test_a_state_of_another_version_is_no_state(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "alerts.json").write_text('{"pid": 1, "at": 2, "values": {"old": 1}}')

    assert alerts.read(tmp_path) is None
