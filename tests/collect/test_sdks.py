"""Segment's own SDKs send to the collector as they send to Segment."""

from __future__ import annotations

import json
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from segment.analytics.client import Client
from tests.collect.relay import losing_answers
from tests.collect.running import Running

ROOT = Path(__file__).resolve().parents[2]
NODE_SDK = "@segment/analytics-node@3.1.0"
WHEN = "2026-11-23T10:15:00.000Z"
CALLS = ["identify", "track", "page", "screen", "group", "alias"]

NODE_SCRIPT = """
const { Analytics } = require('@segment/analytics-node')
const analytics = new Analytics({ writeKey: 'KEY', host: process.argv[2], flushAt: 20 })
analytics.on('error', (e) => { console.error(e); process.exitCode = 1 })
const timestamp = new Date(process.argv[3])
analytics.identify({ userId: 'u1', traits: { plan: 'pro' }, timestamp })
analytics.track({ userId: 'u1', event: 'Order Completed', properties: { revenue: 9.5 }, timestamp })
analytics.page({ userId: 'u1', name: 'Home', timestamp })
analytics.screen({ userId: 'u1', name: 'Start', timestamp })
analytics.group({ userId: 'u1', groupId: 'g1', timestamp })
analytics.alias({ userId: 'u1', previousId: 'a1', timestamp })
analytics.closeAndFlush({ timeout: 20000 })
"""


def send_from_python(url: str, gzip: bool = False) -> None:
    errors: list[Any] = []
    client = Client("KEY", host=url, gzip=gzip, on_error=lambda *e: errors.append(e), timeout=20)
    when = datetime(2026, 11, 23, 10, 15, tzinfo=UTC)
    client.identify("u1", {"plan": "pro"}, timestamp=when)
    client.track("u1", "Order Completed", {"revenue": 9.5}, timestamp=when)
    client.page("u1", "docs", "Home", timestamp=when)
    client.screen("u1", "app", "Start", timestamp=when)
    client.group("u1", "g1", {"name": "Group"}, timestamp=when)
    client.alias("a1", "u1", timestamp=when)
    client.shutdown()
    assert errors == []


def send_from_node(url: str, folder: Path) -> None:
    script = folder / "send.cjs"
    script.write_text(NODE_SCRIPT)
    subprocess.run(["node", str(script), url, WHEN], cwd=folder, check=True, timeout=60)


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
    """A folder in which node finds the SDK; it is installed once and kept."""
    if not shutil.which("node") or not shutil.which("npm"):
        pytest.skip("NOT COVERED: node and npm are not installed, Segment's Node SDK went untested")
    folder = ROOT / ".cache" / NODE_SDK.replace("/", "-").lstrip("@")
    if not (folder / "node_modules").exists():
        folder.mkdir(parents=True, exist_ok=True)
        command = ["npm", "install", "--no-audit", "--no-fund", "--prefix", str(folder), NODE_SDK]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        if done.returncode:
            pytest.skip(f"NOT COVERED: Segment's Node SDK could not be installed: {done.stderr}")
    return folder


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
