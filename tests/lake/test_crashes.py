"""Killed at each named point of the lake, on a disk that forgets: nothing lost or doubled."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.lake import committing

from tidelake.errors import TidelakeError
from tidelake.files import SYNCS
from tidelake.lake.catalog import open_catalog
from tidelake.lake.positions import counts
from tidelake.lake.recover import recover

ROOT = Path(__file__).resolve().parents[2]
POINTS = [
    "encode.after_parquet:3",
    "encode.after_store:3",
    "commit.before_rejects:2",
    "commit.after_rejects:2",
    "commit.before_rejects_hint:2",
    "commit.before_events:2",
    "commit.after_events:2",
    "commit.after_hint:2",
    "commit.after_release:2",
    "care.before_swap:1",
    "care.after_swap:1",
    "source.before_done:1",
    "source.after_done:1",
]


def run(lake: Any, released: Path, crash_at: str, skip_sync: str = "") -> int:
    """Runs `committing.py` until it is killed; gives its exit code."""
    arguments = [lake.url, str(lake.warehouse), str(released)]
    environment = {
        **os.environ,
        "TIDELAKE_CRASH_AT": crash_at,
        "TIDELAKE_TEST_DISK": "volatile",
        "TIDELAKE_TEST_SKIP_SYNC": skip_sync,
    }
    command = [sys.executable, "-m", "tests.lake.committing", *arguments]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, check=False, timeout=120, capture_output=True
    )
    return done.returncode


def go_on(lake: Any, released: Path, tmp_path: Path) -> None:
    """Loses the catalog for a moment, finishes the work, and compares rows and books."""
    # What the source was told to forget is behind the version hints, should the catalog be lost.
    told = int(released.read_text()) if released.exists() else 0
    with closing(
        open_catalog("sql", lake.warehouse.as_uri(), f"sqlite:///{tmp_path}/other.db")
    ) as other:
        assert sum(table.scan().count() for table in recover(other)) >= told
    committing.take(lake, lake.committer(sleep=lambda _: None), released, step=8)
    everything = set(range(1, committing.RECORDS + 1))
    good = sorted(everything - committing.BAD)
    assert lake.numbers(stream=committing.STREAM) == good
    assert lake.numbers("rejected_events", committing.STREAM) == sorted(committing.BAD)
    assert counts(lake.events.properties)["events"] == len(good)
    assert counts(lake.rejects.properties)["rejected"] == len(committing.BAD)
    assert counts(lake.events.properties)["finished"] == committing.RECORDS
    assert lake.committer().start_positions() == {}


@pytest.mark.crash
@pytest.mark.parametrize("point", POINTS)
def test_a_kill_loses_and_doubles_nothing_at(lake: Any, tmp_path: Path, point: str) -> None:
    assert run(lake, tmp_path / "released", point) == -signal.SIGKILL
    go_on(lake, tmp_path / "released", tmp_path)


@pytest.mark.crash
@pytest.mark.parametrize("sync", [s for s in SYNCS if s.startswith(("lake.", "source.done"))])
def test_data_would_be_lost_without_the_sync(lake: Any, tmp_path: Path, sync: str) -> None:
    # The hint's own syncs matter until the next commit syncs its folder; the others at any time.
    crash_at = "commit.after_release:4" if sync.startswith("lake.hint") else ""
    code = run(lake, tmp_path / "released", crash_at, skip_sync=sync)
    # A file of the lake that is not synced can not be read back: some do not get to the end.
    if code in (0, -signal.SIGKILL):
        with pytest.raises((AssertionError, TidelakeError)):
            go_on(lake, tmp_path / "released", tmp_path)
