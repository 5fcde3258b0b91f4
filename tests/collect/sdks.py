"""Segment's own SDKs, one call of each kind: what they send to whom."""

from __future__ import annotations

import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from segment.analytics.client import Client

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


def installed_node_sdk() -> Path:
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
