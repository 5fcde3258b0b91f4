"""Rules are read whole or not at all, and what is wrong with one is told by its name."""

from __future__ import annotations

from pathlib import Path

import pytest

from tidelake.errors import SetupError
from tidelake.observe.alert_rules import load_rules, parse_rules
from tidelake.observe.measures import MEASURES, Value, shown

RULE = """
rules:
  - name: gold-late
    when: gold_lag_s > 300
    until: gold_lag_s < 120
    for: 2m
    severity: critical
    message: "{value} behind, more than {threshold}"
"""


def one(**fields: str) -> str:
    lines = {"name": "gold-late", "when": "gold_lag_s > 60"} | fields
    return "rules:\n  - " + "\n    ".join(f"{name}: {value}" for name, value in lines.items())


def test_the_rules_that_come_with_tidelake_are_sound() -> None:
    rules = load_rules(None)

    assert len(rules) == len({rule.name for rule in rules}) > 10
    for rule in rules:
        assert rule.told(Value(rule.when.threshold, "a detail"))


def test_a_rule_says_when_it_begins_and_when_it_may_end() -> None:
    (rule,) = parse_rules(RULE)

    assert (rule.for_s, rule.severity) == (120, "critical")
    assert [rule.when.holds(value) for value in (300, 301)] == [False, True]
    assert [rule.over(value) for value in (301, 200, 119)] == [False, False, True]
    assert rule.told(Value(420)) == "7 min behind, more than 5 min"


def test_a_share_may_be_written_in_percent() -> None:
    (rule,) = parse_rules(one(when="reject_share >= 12.5 %"))

    assert rule.when.threshold == 0.125
    assert rule.told(Value(0.2)) == "reject_share is 20 % (>= 12.5 %)"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("rules: [", "it is no YAML"),
        ("- name: x", "it holds one list, `rules:`"),
        ("rules: 5", "`rules:` is a list"),
        ("rules: [5]", "rule number 1: it is 5, not fields"),
        (one(name="Gold late"), "rule number 1: its name is 'Gold late'"),
        (one(when="gold_lag > 60"), "rule gold-late: 'gold_lag' is no measure; there are lake_lag"),
        (one(when="gold_lag_s above 60"), "rule gold-late: when is 'gold_lag_s above 60'"),
        ("rules:\n  - name: a", "rule a: when is None, and looks like `gold_lag_s > 60`"),
        (one(until="raw_lag_s < 5"), "rule gold-late: until is about raw_lag_s"),
        (one(until="gold_lag_s < 90"), "until (gold_lag_s < 90) can hold together with when"),
        (one(until="gold_lag_s > 5"), "can hold together with when"),
        (one(**{"for": "two minutes"}), "rule gold-late: for is 'two minutes'"),
        (one(severity="bad"), "rule gold-late: severity is 'bad'"),
        (one(message='"{lag}"'), "rule gold-late: its message has a place 'lag'"),
        (one(message='"{value:d}"'), "rule gold-late: its message has a place"),
        (one(color="red"), "rule gold-late: it has a field 'color'"),
        (one() + "\n" + one().removeprefix("rules:\n"), "rule gold-late: another rule has"),
    ],
)
def test_what_is_wrong_is_told_with_the_rules_name(text: str, said: str) -> None:
    with pytest.raises(SetupError) as caught:
        parse_rules(text)

    assert said in caught.value.message


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="can not be read"):
        load_rules(tmp_path / "none.yaml")


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("gold_lag_s", 95.4, "95 s"),
        ("gold_lag_s", 7200, "2 h"),
        ("reject_share", 0.0349, "3.49 %"),
        ("disk_free_bytes", 1.25e9, "1.2 GB"),
        ("set_aside_rows", 12_345, "12,345"),
    ],
)
def test_values_are_shown_in_their_units(name: str, value: float, text: str) -> None:
    assert shown(name, value) == text


def test_the_documentation_lists_every_measure_and_every_rule() -> None:
    text = (Path(__file__).parents[2] / "docs" / "alerts.md").read_text("utf-8")

    for measure in MEASURES.values():
        assert f"| `{measure.name}` | {measure.meaning}" in text
    for rule in load_rules(None):
        assert f"`{rule.name}`" in text
