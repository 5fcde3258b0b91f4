"""A real collector: granian in a process of its own, on a free port, over a real inbox."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pyarrow as pa

from tidelake.files import open_disk
from tidelake.inbox import Inbox

START_S = 30.0
READY_S = 0.05


@dataclass
class Running:
    """A collector process and its home."""

    process: subprocess.Popen[bytes]
    home: Path
    url: str
    log: Path
    since: int = 0  # records of earlier tests
    http: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        self.http = httpx.Client(base_url=self.url, timeout=20)

    def post(self, path: str, content: bytes | str, **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.http.post(path, content=content, headers=named)

    def rows(self) -> list[dict[str, Any]]:
        """Every record that a reader of the inbox sees, the envelope read."""
        rows = stored(self.home)[self.since :]
        for row in rows:
            row["envelope"] = json.loads(row["envelope"])
        return rows

    def bodies(self) -> list[bytes]:
        return [row["body"] for row in self.rows()]

    def connection(self) -> socket.socket:
        host, _, port = self.url.removeprefix("http://").rpartition(":")
        return socket.create_connection((host, int(port)), timeout=20)

    def stop(self) -> int:
        self.http.close()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(20)


def stored(home: Path) -> list[dict[str, Any]]:
    """The inbox's records in order."""
    inbox = Inbox(home, open_disk({}))
    batches: list[pa.RecordBatch] = []
    for stream in inbox.streams():
        batches += [take.read().records for take in inbox.takes(stream, 0)]
    return [row for batch in batches for row in batch.to_pylist()]


Start = Callable[..., Running]


def start_collector(home: Path, toml: str = "", **environment: str) -> Running:
    """Starts one and waits until it is ready."""
    home.mkdir(parents=True, exist_ok=True)
    config = home.parent / f"{home.name}.toml"
    config.write_text(toml)
    log = home.parent / f"{home.name}.log"
    variables = {
        "TIDELAKE_CONFIG": str(config),
        "TIDELAKE_COLLECT_PORT": "0",
        "TIDELAKE_INBOX_MIN_FREE_BYTES": "1",
        **environment,
    }
    with log.open("ab") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "tidelake", "--home", str(home), "collect"],
            env={**os.environ, **variables},
            stdout=out,
            stderr=out,
        )
    return Running(process, home, _wait(process, home, log), log)


def _wait(process: subprocess.Popen[bytes], home: Path, log: Path) -> str:
    file = home / "run" / "collect" / "url"
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        url = file.read_text().strip() if file.exists() else ""
        if url and _alive(url):
            return url
        time.sleep(READY_S)
    process.kill()
    raise AssertionError(f"the collector did not start:\n{log.read_text()}")


def _alive(url: str) -> bool:
    try:
        return httpx.get(f"{url}/healthz", timeout=5).status_code == 200
    except httpx.TransportError:
        return False
