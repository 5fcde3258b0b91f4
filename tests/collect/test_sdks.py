"""Segment's own SDKs send to the collector as they send to Segment."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from tests.collect.relay import losing_answers
from tests.collect.running import Running
from tests.collect.sdks import CALLS, WHEN, installed_node_sdk, send_from_node, send_from_python


def messages(collector: Running) -> list[dict[str, Any]]:
    return [json.loads(body) for body in collector.bodies()]


def check_six_calls(collector: Running) -> None:
    found = messages(collector)
    assert sorted(message["type"] for message in found) == sorted(CALLS)
    assert {message["userId"] for message in found} == {"u1"}
    assert len({message["messageId"] for message in found}) == len(CALLS)
    times = {datetime.fromisoformat(message["timestamp"]) for message in found}
    assert times == {datetime.fromisoformat(WHEN)}
    assert b"KEY" not in b"".join(collector.bodies())
    for row in collector.rows():
        assert row["format"] == "segment"
        assert row["envelope"]["path"] == "/v1/batch"
        assert row["envelope"]["sentAt"]


@pytest.mark.parametrize("gzip", [False, True])
def test_segment_analytics_python_sends_all_six_calls(collector: Running, gzip: bool) -> None:
    send_from_python(collector.url, gzip)
    check_six_calls(collector)


def test_a_retry_of_the_python_sdk_repeats_the_message_ids(collector: Running) -> None:
    """The SDK renews `sentAt` on every attempt, so that only `messageId` tells a repeat."""
    with losing_answers(collector.url, lost=1) as url:
        send_from_python(url)
    ids = [message["messageId"] for message in messages(collector)]
    repeated = {name for name in ids if ids.count(name) == 2}
    assert len(set(ids)) == len(CALLS)
    assert repeated
    assert len(ids) == len(CALLS) + len(repeated)
    keys = {row["body"]: row["envelope"]["sentAt"] for row in collector.rows()}
    assert len(keys) == len(CALLS), "a retried message has the same bytes"


@pytest.fixture(scope="module")
def node_sdk() -> Path:
    return installed_node_sdk()


def test_analytics_node_sends_all_six_calls(collector: Running, node_sdk: Path) -> None:
    send_from_node(collector.url, node_sdk)
    check_six_calls(collector)


def test_a_retry_of_the_node_sdk_repeats_the_message_ids(
    collector: Running, node_sdk: Path
) -> None:
    with losing_answers(collector.url, lost=1) as url:
        send_from_node(url, node_sdk)
    ids = [message["messageId"] for message in messages(collector)]
    assert len(ids) == 2 * len(CALLS)
    assert len(set(ids)) == len(CALLS)
