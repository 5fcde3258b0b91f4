"""`tidelake trace` shows where an event has been, in every layer, and what became of its copies."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import Any

import pytest

from tidelake.lake.care.run import care_once
from tidelake.pipeline import trace_find
from tidelake.pipeline.trace import trace
from tidelake.settings import Care


def traced(run: Any, *arguments: str) -> dict[str, Any]:
    done = run("trace", *arguments, "--json")
    assert done.exit_code == 0
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def stations(copy: dict[str, Any]) -> dict[str, Any]:
    return {station["station"]: station for station in copy["stations"]}


def test_an_event_is_followed_to_the_gold_that_first_held_it(
    layered: Any, run_layered: Any
) -> None:
    (event,) = traced(run_layered, "e507")["events"]  # a purchase: 507 % 4 == 3
    (copy,) = event["copies"]
    found = stations(copy)

    assert list(found) == ["acknowledged", "source", "event", "lake", "raw", "silver", "gold"]
    assert event["says"]["event_type"] == "purchase"
    assert found["source"]["record"] == 204 + 8
    assert found["source"]["segment"].endswith(".seg")
    assert (found["lake"]["row"], found["lake"]["row group"]) == (8, 0)
    assert found["raw"]["from file"] == found["lake"]["file"]
    assert found["raw"]["row"] == 8
    assert found["gold"]["first version"] == 1
    for earlier, later in (("lake", "raw"), ("raw", "silver"), ("silver", "gold")):
        assert found[earlier]["at"] <= found[later]["at"]
    assert found["gold"]["latency_s"] > 0
    assert event["silver"]["rows"] == {
        "events": 1,
        "engagement": 1,
        "web_performance": 1,
        "orders": 1,
        "sessions": 1,
        "users": 1,
    }


def test_a_key_shows_every_copy_that_was_sent(layered: Any, run_layered: Any) -> None:
    key = layered.one(
        "select encode(event_key, 'hex') from silver_pii.events where event_id = 'e501'"
    )
    (event,) = traced(run_layered, key)["events"]

    first, second = event["copies"]
    assert first["repeat_of"] is None
    assert second["repeat_of"] == first["position"]
    assert stations(second)["gold"]["at"] is not None
    assert "sent again: a repeat of" in run_layered("trace", key).stdout


def test_people_stay_unnamed_unless_it_is_asked_for(layered: Any, run_layered: Any) -> None:
    masked = run_layered("trace", "e507").stdout
    assert "user_id" not in masked
    assert "user_3" not in masked
    assert "user_key" in masked
    assert layered.one("select user_key::text from silver_pii.events limit 1") not in masked

    (event,) = traced(run_layered, "e507", "--pii")["events"]
    assert event["says"]["user_id"] == "user_3"
    assert len(event["silver"]["keys"]["user_key"]) == 36


def test_a_rejected_record_is_found_by_its_position_and_by_what_it_holds(
    layered: Any, run_layered: Any
) -> None:
    position = layered.one(
        "select source_position from raw.rejected_events where reason = 'not_json' limit 1"
    )
    for wanted in (position, '{"event_id": "cut'):
        (event, *_) = traced(run_layered, wanted)["events"]
        found = stations(event["copies"][0])
        assert found["rejected"]["reason"] == "not_json"
        assert found["raw"]["load"] > 0
        assert event["silver"] is None


def test_an_accepted_record_is_found_by_its_position(layered: Any, run_layered: Any) -> None:
    position = layered.one("select source_position from raw.events where event_id = 'e510'")

    (event,) = traced(run_layered, position)["events"]
    assert event["says"]["event_id"] == "e510"


def test_what_is_not_known_is_told_and_exits_with_1(layered: Any, run_layered: Any) -> None:
    done = run_layered("trace", "e4711")

    assert done.exit_code == 1
    assert "no event or rejected record is known as 'e4711'" in done.stderr
    assert run_layered("trace", "e507", "--day", "2026-11-19").exit_code == 1
    assert run_layered("trace", "e507", "--day", "2026-11-20").exit_code == 0


def test_by_a_key_only_the_files_of_its_day_are_read(
    layered: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    days: list[date] = []
    read = trace_find._read

    def counted(connection: Any, io: Any, files: Any, *rest: Any, **named: Any) -> Any:
        days.extend(file.day for file in files)
        return read(connection, io, files, *rest, **named)

    monkeypatch.setattr(trace_find, "_read", counted)
    key = layered.one("select encode(event_key, 'hex') from silver_pii.events limit 1")
    assert trace(layered.lakehouse, key).events
    assert set(days) == {date(2026, 11, 20)}


def test_what_waits_in_the_inbox_is_told(lake: Any, run: Any, make_event: Any) -> None:
    lake.accept([make_event(9000)])

    done = run("trace", "e9000")
    assert done.exit_code == 0
    assert f"waits in the inbox as {lake.stream}/305" in done.stdout


def test_before_anything_is_loaded_the_way_ends_at_the_lake(lake: Any, run: Any) -> None:
    (event,) = traced(run, "e42")["events"]
    found = stations(event["copies"][0])

    assert found["raw"]["state"] == "not loaded yet"
    assert "silver" not in found
    assert event["silver"] is None


def test_a_row_that_care_has_rewritten_shows_both_files(lake: Any, run: Any) -> None:
    care_once(lake.lakehouse.catalog, Care(min_files=2), datetime.now(UTC), lambda _: None)

    (event,) = traced(run, "e42")["events"]
    found = stations(event["copies"][0])
    assert found["rewritten by care"]["snapshot"]
    assert "/c-" in found["lake"]["file"]
    assert found["lake"]["row"] >= 1


def test_what_a_copy_does_not_say_is_left_out(layered: Any, run_layered: Any) -> None:
    assert "None" not in run_layered("trace", "e507").stdout
