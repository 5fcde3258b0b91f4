"""`tidelake up` runs every part, and what was acknowledged is in the lake when it has stopped."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from pathlib import Path
from urllib.request import Request, urlopen

from tests.pipeline.running import START_WITHIN_S, STOP_WITHIN_S, tidelake

from tidelake.pipeline.books import read_books
from tidelake.pipeline.collect import collector_url
from tidelake.pipeline.lakehouse import opened
from tidelake.settings import Settings


def send(url: str, events: list[dict[str, object]]) -> int:
    request = Request(f"{url}/v1/events", json.dumps(events).encode())
    with urlopen(request, timeout=30) as answer:
        return int(json.load(answer)["accepted"])


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
    with opened(home_settings) as lakehouse:
        books = read_books(lakehouse)
    assert (accepted, books.events, books.waiting, books.wrong()) == (500, 500, 0, [])


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
