"""`tidelake up` as a user runs it, with traffic of its own, and the parts that it started."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

READY_S, DRAIN_S = 120.0, 180.0


@contextmanager
def running(home: Path, rate: float) -> Iterator[subprocess.Popen[bytes]]:
    """A pipeline on `home` that takes `rate` mock events a second; stopped at the end."""
    log = home / "up.log"
    command = [sys.executable, "-m", "tidelake", "--home", str(home), "up", "--generate", f"{rate}"]
    environment = {"TIDELAKE_COLLECT_PORT": "0", "TIDELAKE_DASHBOARD_PORT": "0"}
    with log.open("wb") as out:
        pipeline = subprocess.Popen(
            command,
            stdout=out,
            stderr=out,
            start_new_session=True,
            env={**os.environ, **environment},
        )
    try:
        deadline = time.monotonic() + READY_S
        while b"running" not in log.read_bytes():
            if pipeline.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"tidelake up did not start:\n{log.read_text()}")
            time.sleep(0.2)
        yield pipeline
    finally:
        if pipeline.poll() is None:
            pipeline.send_signal(signal.SIGINT)
            pipeline.wait(DRAIN_S)


def drain(pipeline: subprocess.Popen[bytes]) -> None:
    """Ctrl-C, and its end. Raises RuntimeError where it did not end well."""
    pipeline.send_signal(signal.SIGINT)
    if pipeline.wait(DRAIN_S) != 0:
        raise RuntimeError(f"tidelake up ended with {pipeline.returncode}; see its log")


def still(pipeline: subprocess.Popen[bytes]) -> None:
    """Raises RuntimeError where it runs no longer."""
    if pipeline.poll() is not None:
        raise RuntimeError(f"tidelake up ended with {pipeline.returncode}; see its log")


def parts_of(pid: int) -> dict[str, int]:
    """Name and process of each part. The supervisor itself does nothing but watch."""
    found = {}
    for child in psutil.Process(pid).children():
        words = child.cmdline()
        if "postgres" in Path(words[0]).name:
            found["postgres"] = child.pid
        elif "run" in words:
            found[words[words.index("run") + 1]] = child.pid
        elif "generate" in words:
            found["generate"] = child.pid
    return found
