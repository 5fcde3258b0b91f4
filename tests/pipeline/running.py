"""The command line in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys

from tidelake.settings import Settings

START_WITHIN_S = 90
STOP_WITHIN_S = 120


def environment(settings: Settings) -> dict[str, str]:
    return {
        **os.environ,
        "TIDELAKE_POSTGRES_URL": settings.postgres.url,
        "TIDELAKE_PROCESS_WORKERS": "1",
        "TIDELAKE_COLLECT_PORT": "0",
    }


def tidelake(settings: Settings, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tidelake", "--home", str(settings.home), *arguments],
        env=environment(settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def read_until(process: subprocess.Popen[str], word: str) -> list[str]:
    assert process.stdout is not None
    said = []
    for line in process.stdout:
        said.append(line.rstrip())
        if word in line:
            return said
    raise AssertionError(f"it ended without saying {word!r}: {said}")
