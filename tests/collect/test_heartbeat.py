"""The collector says that it lives, and what it did, where status and monitor read it."""

from __future__ import annotations

import time
from collections.abc import Callable

import httpx
from tests.collect.running import Start

from tidelake.observe import heartbeat

WITHIN_S = 30


def poll(holds: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + WITHIN_S
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def test_a_running_collector_beats_and_a_stopped_one_is_forgotten(start: Start) -> None:
    collector = start()
    httpx.post(f"{collector.url}/v1/events", content=b'{"event_id":"1"}').raise_for_status()

    def counted() -> bool:
        said = heartbeat.read(collector.home).get("collect")
        return said is not None and said.values["records"] == 1

    assert poll(counted)
    collector.stop()
    assert "collect" not in heartbeat.read(collector.home)
