"""`tidelake up` runs every part, and what was acknowledged is in the lake when it has stopped."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from urllib.error import URLError
from urllib.request import Request, urlopen

import psutil
import pytest
from tests.pipeline.running import START_WITHIN_S, STOP_WITHIN_S, read_until, tidelake

from tidelake.files import open_disk
from tidelake.inbox import LaneWriter, Records, SegmentLimits
from tidelake.pipeline.address import collector_url
from tidelake.pipeline.books import read_books
from tidelake.pipeline.lakehouse import opened
from tidelake.pipeline.waiting import records_waiting
from tidelake.settings import Settings


def send(url: str, events: list[dict[str, object]]) -> int:
    request = Request(f"{url}/v1/events", json.dumps(events).encode())
    with urlopen(request, timeout=30) as answer:
        return int(json.load(answer)["accepted"])


def until_sent(url: str, events: list[dict[str, object]]) -> int:
    """Sends as soon as somebody listens."""
    deadline = time.monotonic() + START_WITHIN_S
    while True:
        try:
            return send(url, events)
        except URLError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def event(number: int) -> dict[str, object]:
    return {
        "event_id": str(number),
        "event_type": "click",
        "user_id": "u",
        "timestamp": time.time(),
    }


def test_what_was_acknowledged_is_in_the_lake_after_ctrl_c(
    running: subprocess.Popen[str], home_settings: Settings
) -> None:
    url = collector_url(home_settings.home)
    assert url is not None
    accepted = send(url, [event(number) for number in range(500)])

    running.send_signal(signal.SIGINT)
    said, _ = running.communicate(timeout=STOP_WITHIN_S)

    assert running.returncode == 0, said
    assert said.splitlines()[-1] == "stopped; everything is in the lake"
    with opened(home_settings) as lakehouse:
        books = read_books(lakehouse)
    assert (accepted, books.events, books.waiting, books.wrong()) == (500, 500, 0, [])


def test_a_full_inbox_does_not_keep_the_pipeline_from_starting_and_draining_it(
    home_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = open_disk()
    lane = LaneWriter.claim(home_settings.home, disk, SegmentLimits(1_000_000, 60))
    rows = [json.dumps(event(number)).encode() for number in range(50)]
    asyncio.run(lane.append(Records(rows, b"{}", int(time.time() * 1e6))))
    lane.close()
    monkeypatch.setenv("TIDELAKE_INBOX_MIN_FREE_BYTES", str(10**15))

    process = tidelake(home_settings, "up")
    started = read_until(process, "running")
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=STOP_WITHIN_S)

    assert any(line.startswith("warning: events are refused for now:") for line in started)
    assert process.returncode == 0
    assert said.splitlines()[-1] == "stopped; everything is in the lake"
    assert records_waiting(home_settings, home_settings.postgres.url) == 0
    with opened(home_settings) as lakehouse:
        assert read_books(lakehouse).events == 50


def test_ctrl_c_while_starting_ends_it(home_settings: Settings) -> None:
    process = tidelake(home_settings, "up")
    read_until(process, "starting")
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=STOP_WITHIN_S)

    assert process.returncode == 0
    assert said.splitlines()[-1] == "stopped before everything ran"


def test_a_collector_that_is_started_again_keeps_its_port(
    running: subprocess.Popen[str], home_settings: Settings
) -> None:
    url = collector_url(home_settings.home)
    [collector] = [
        child
        for child in psutil.Process(running.pid).children()
        if "run collect" in " ".join(child.cmdline())
    ]
    collector.kill()
    read_until(running, "runs again")

    assert url is not None
    assert until_sent(url, [event(1)]) == 1


def test_the_supervisor_loads_neither_lake_nor_collector() -> None:
    code = (
        "import sys, tidelake.pipeline.up;"
        "print({'pyarrow', 'pyiceberg', 'granian', 'duckdb'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert done.stdout == "set()\n"


@pytest.mark.parametrize("rate", ["nan", "-5", "inf"])
def test_a_rate_that_is_none_is_refused(home_settings: Settings, rate: str) -> None:
    said, _ = (process := tidelake(home_settings, "up", "--generate", rate)).communicate()

    assert process.returncode == 2
    assert "is no rate" in said


def test_a_second_pipeline_on_the_same_home_is_refused(
    running: subprocess.Popen[str], home_settings: Settings
) -> None:
    second = tidelake(home_settings, "up")
    said, _ = second.communicate(timeout=START_WITHIN_S)

    assert second.returncode == 3
    assert "runs on" in said
    assert running.poll() is None


def test_a_file_is_ingested_beside_a_running_pipeline(
    running: subprocess.Popen[str], home_settings: Settings, tmp_path: Path
) -> None:
    url = collector_url(home_settings.home)
    assert url is not None
    path = tmp_path / "beside.ndjson"
    path.write_text("".join(json.dumps(event(number)) + "\n" for number in range(300)))

    ingest = tidelake(home_settings, "ingest", str(path))
    sent = sum(send(url, [event(1000 + number)]) for number in range(100))
    said, _ = ingest.communicate(timeout=STOP_WITHIN_S)
    running.send_signal(signal.SIGINT)
    running.communicate(timeout=STOP_WITHIN_S)

    assert "300 events" in said
    with opened(home_settings) as lakehouse:
        books = read_books(lakehouse)
    assert (books.events, books.wrong()) == (300 + sent, [])
