"""Alert rules are looked at beside a running pipeline; a real server is told."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tidelake.errors import SetupError
from tidelake.observe import alerts, heartbeat
from tidelake.pipeline.alert_report import report
from tidelake.pipeline.alerts import watching
from tidelake.pipeline.measures import Measurer
from tidelake.settings import Alerts, Postgres, Settings
from tidelake.warehouse.roles import as_login

from ..observe.hooks import Hook
from ..observe.hooks import hook as a_hook


@pytest.fixture
def hook() -> Iterator[Hook]:
    with a_hook() as found:
        yield found


RULES = """
rules:
  - {name: gone, when: silent_s > 20, for: 0s, severity: critical, message: "{detail} is silent"}
  - {name: refused, when: set_aside_rows > 0, message: "{value} rows"}
  - {name: broken, when: failed_models > 0, message: "{detail} failed"}
"""


@pytest.fixture
def settings_with(settings: Settings, hook: Hook, tmp_path: Path) -> Settings:
    (tmp_path / "rules.yaml").write_text(RULES)
    told = Alerts(rules=tmp_path / "rules.yaml", webhook_url=hook.url, interval_s=0.1)
    return settings.model_copy(update={"alerts": told})


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_what_begins_and_ends_is_told_once_and_stands_in_the_state(
    lake: Any, settings_with: Settings, hook: Hook
) -> None:
    home, said = settings_with.home, list[str]()
    heartbeat.beat(home, "ingest", time.time() - 60, {})
    with watching(settings_with, settings_with.postgres.url, said.append):
        (begun,) = hook.wait_for(1)
        until(lambda: bool((state := alerts.read(home)) and state.active))
        assert (state := alerts.read(home)) is not None
        assert state.trouble == ""  # the login that only reads may read what is measured
        heartbeat.beat(home, "ingest", time.time(), {})
        ended = hook.wait_for(2)[1]
        until(lambda: bool((state := alerts.read(home)) and state.ended))

    assert (begun["event"], begun["rule"], begun["message"]) == (
        "begin",
        "gone",
        "ingest is silent",
    )
    assert begun["text"] == "🔴 gone: ingest is silent"
    assert begun["home"] == str(home)
    assert (ended["event"], ended["ended"] >= begun["began"]) == ("end", True)
    assert [text.partition(":")[0] for text in said] == ["critical", "over after 0 s"]
    assert alerts.read(home) is None  # stopped on purpose: no pipeline, no alerts
    assert len(hook.came) == 2


def test_a_watch_that_was_killed_goes_on_where_it_was(
    lake: Any, settings_with: Settings, hook: Hook
) -> None:
    home = settings_with.home
    heartbeat.beat(home, "ingest", time.time() - 60, {})
    with watching(settings_with, settings_with.postgres.url, lambda _: None):
        hook.wait_for(1)
        until(lambda: bool((state := alerts.read(home)) and state.active))
        left = (home / "run" / "alerts.json").read_bytes()
    (home / "run" / "alerts.json").write_bytes(left)

    heartbeat.beat(home, "ingest", time.time(), {})
    with watching(settings_with, settings_with.postgres.url, lambda _: None):
        assert [message["event"] for message in hook.wait_for(2)] == ["begin", "end"]


def test_a_webhook_in_trouble_holds_nothing_up_and_stands_in_the_state(
    lake: Any, settings_with: Settings, hook: Hook
) -> None:
    hook.answers = [403]
    heartbeat.beat(settings_with.home, "ingest", time.time() - 60, {})
    with watching(settings_with, settings_with.postgres.url, lambda _: None):
        until(
            lambda: bool(
                (state := alerts.read(settings_with.home)) and "answers 403" in state.trouble
            )
        )


def test_rules_that_are_wrong_stop_the_start(settings_with: Settings, tmp_path: Path) -> None:
    (tmp_path / "rules.yaml").write_text("rules: [{name: x, when: nothing > 1}]")

    with (
        pytest.raises(SetupError, match="rule x: 'nothing' is no measure"),
        watching(settings_with, "", lambda _: None),
    ):
        raise AssertionError("it must not start")


def test_the_measures_of_a_lake_at_rest(lake: Any) -> None:
    measurer = Measurer(lake.settings.home, lake.settings.postgres.url)
    values = measurer.look(time.time())
    measurer.close()

    zero = ("postgres_down", "postgres_refuses", "books_wrong", "failed_models", "set_aside_rows")
    assert {values[name].value for name in zero} == {0}
    assert values["inbox_bytes"].value == sum(
        path.stat().st_size for path in (lake.settings.home / "inbox" / "lanes").rglob("*.seg")
    )
    assert values["silent_s"].value is None


def test_the_ledgers_are_measured(lake: Any) -> None:
    with psycopg.connect(lake.settings.postgres.url, autocommit=True) as database:
        database.execute(
            "insert into tidelake.loads (load_id, table_name, file_path, sequence_number, rows, "
            "set_aside, load_day, loaded_at) values (1, 'events', 'a', 1, 300, 2, current_date, "
            "now() - interval '100 s')"
        )
        database.execute(
            "insert into tidelake.load_totals (table_name, rows, set_aside) "
            "values ('events', 300, 2) on conflict (table_name) do update "
            "set rows = 300, set_aside = 2"
        )
        database.execute(
            "insert into tidelake.windows (from_load_id, to_load_id, timezone, status, "
            "failed_model) values (0, 1, 'UTC', 'failed', 'sessions')"
        )
        measurer = Measurer(lake.settings.home, lake.settings.postgres.url)
        values = measurer.look(time.time())
        assert 100 <= (values["silver_lag_s"].value or 0) < 160
        assert 100 <= (values["gold_lag_s"].value or 0) < 160
        assert (values["failed_models"].value, values["failed_models"].detail) == (1, "sessions")
        assert values["set_aside_rows"].value == 2

        database.execute(
            "update tidelake.windows set status = 'done', raw_rows = 299, new_events = 299, "
            "repeats = 0, rejected = 0"
        )
        values = measurer.look(time.time())
        assert values["silver_lag_s"].value == 0
        assert (values["books_wrong"].value, values["books_wrong"].detail) == (1, "silver")
        measurer.close()


def test_a_model_of_gold_that_fails_is_measured(lake: Any) -> None:
    heartbeat.beat(lake.settings.home, "transform", time.time(), {"failed_model": "funnel"})
    measurer = Measurer(lake.settings.home, lake.settings.postgres.url)
    failed = measurer.look(time.time())["failed_models"]
    measurer.close()

    assert (failed.value, failed.detail) == (1, "funnel")


def test_no_postgres_is_a_measure_too(lake: Any) -> None:
    values = Measurer(lake.settings.home, "postgresql://x:y@127.0.0.1:1/none").look(time.time())

    assert values["postgres_down"].value == 1
    assert values["postgres_refuses"].value is None
    assert values["gold_lag_s"].value is None


def test_a_wrong_password_is_told_from_a_postgres_that_is_away(lake: Any) -> None:
    wrong = as_login(lake.settings.postgres.url, "tidelake", "wrong")
    values = Measurer(lake.settings.home, wrong).look(time.time())

    assert values["postgres_down"].value == 0
    assert values["postgres_refuses"].value == 1
    assert "password authentication failed" in values["postgres_refuses"].detail

    settings = lake.settings.model_copy(update={"postgres": Postgres(url=wrong)})
    shown = {row.rule: row.now for row in report(settings).rules}
    assert shown["postgres-down"] == "0"
    assert shown["postgres-refuses"].startswith("1 (PostgreSQL at ")


def test_the_share_of_rejects_is_that_of_the_last_minutes(tmp_path: Path) -> None:
    measurer = Measurer(tmp_path, "")
    shares = []
    for at, events, rejected in ((0, 100, 0), (100, 150, 50), (500, 950, 50), (800, 1000, 100)):
        beat = heartbeat.Heartbeat("ingest", 1, at, {"events": events, "rejected": rejected})
        shares.append(measurer._reject_share(beat))

    assert shares == [None, 0.5, 0, 0.5]


def test_the_command_lists_rules_and_alerts(
    lake: Any, run: Any, settings_with: Settings, hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = settings_with.home
    monkeypatch.setenv("TIDELAKE_ALERTS_RULES", str(settings_with.alerts.rules))
    idle = run("alerts")
    assert idle.exit_code == 0
    assert "no pipeline runs" in idle.stdout
    assert "silent_s > 20" in idle.stdout

    heartbeat.beat(home, "ingest", time.time() - 60, {})
    with watching(settings_with, settings_with.postgres.url, lambda _: None):
        until(lambda: bool((state := alerts.read(home)) and state.active))
        shown, said = run("alerts"), run("alerts", "--json")
    assert shown.exit_code == 1
    assert "critical gone: ingest is silent (began" in shown.stdout
    assert [alert["rule"] for alert in json.loads(said.stdout)["active"]] == ["gone"]


def test_the_command_shows_a_share_of_the_last_minutes_that_one_look_can_not_tell(
    lake: Any, settings_with: Settings, tmp_path: Path
) -> None:
    (tmp_path / "rules.yaml").write_text("rules: [{name: bad, when: reject_share > 0.9}]")
    heartbeat.beat(settings_with.home, "ingest", time.time(), {"events": 100, "rejected": 0})

    def share() -> str:
        return report(settings_with).rules[0].now

    assert share() == "–"
    with watching(settings_with, settings_with.postgres.url, lambda _: None):
        until(lambda: alerts.read(settings_with.home) is not None)
        heartbeat.beat(settings_with.home, "ingest", time.time(), {"events": 150, "rejected": 50})
        until(lambda: share() == "50 %")


def test_the_command_tests_the_webhook(
    lake: Any, run: Any, hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SetupError, match="no webhook is set"):
        run("alerts", "test")

    monkeypatch.setenv("TIDELAKE_ALERTS_WEBHOOK_URL", hook.url)
    assert run("alerts", "test").stdout == "sent to http://127.0.0.1/…\n"
    assert hook.came[0]["event"] == "test"
    assert os.fspath(lake.settings.home) == hook.came[0]["home"]


def test_who_watches_the_parts_loads_neither_arrow_nor_the_lake_for_it() -> None:
    loaded = "import sys, tidelake.pipeline.alerts; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", loaded], capture_output=True, text=True, check=True
    )

    assert not {"pyarrow", "numpy", "pyiceberg", "duckdb"} & set(done.stdout.split())
