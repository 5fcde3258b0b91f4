"""Real processes killed at every point of the inbox, on a disk that forgets what was not synced."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tidelake import crash
from tidelake.errors import TidelakeError
from tidelake.files import SYNCS, Disk
from tidelake.inbox import Inbox

WRITE_ROWS = Path(__file__).with_name("write_rows.py")
REQUESTS = 12
THREADS, RECORDS = 4, 3
POINTS = [name for name in crash.POINTS if name.startswith("inbox.")]
SYNCED = [n for n in SYNCS if n.startswith("inbox.") and not n.startswith("inbox.recovery")]


def write(home: Path, name: str, crash_at: str = "", skip: str = "") -> dict[int, str]:
    """Run a collector until it ends or is killed; gives what it acknowledged, by first row."""
    environment = {
        **os.environ,
        "TIDELAKE_TEST_DISK": "volatile",
        "TIDELAKE_CRASH_AT": crash_at,
        "TIDELAKE_TEST_SKIP_SYNC": skip,
    }
    command = [sys.executable, str(WRITE_ROWS), str(home), name, str(REQUESTS)]
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == (-signal.SIGKILL if crash_at else 0), done.stderr
    acknowledged = (line.split() for line in done.stdout.splitlines())
    return {int(first): sent for first, sent in acknowledged}


def check(home: Path, acknowledged: dict[int, str], runs: int) -> None:
    """Each acknowledged record is read once, where it was said to be; none that was not sent is."""
    inbox = Inbox(home, Disk())
    inbox.recover()
    rows: list[bytes] = []
    for take in inbox.takes(inbox.streams()[0], 0):
        batch = take.read()
        assert batch.gaps == ()
        assert batch.numbers.to_pylist() == list(range(len(rows) + 1, batch.last + 1))
        rows += batch.records["body"].to_pylist()
    assert len(set(rows)) == len(rows)
    for first, sent in acknowledged.items():
        expected = [f"{sent}.{record}".encode() for record in range(RECORDS)]
        assert rows[first - 1 : first - 1 + RECORDS] == expected
    may_be_sent = {
        f"{run}.{thread}.{request}.{record}".encode()
        for run in range(runs)
        for thread in range(THREADS)
        for request in range(REQUESTS)
        for record in range(RECORDS)
    }
    assert set(rows) <= may_be_sent


@pytest.mark.crash
@pytest.mark.parametrize("point", POINTS)
def test_no_acknowledged_record_is_lost_or_doubled_by_a_kill(point: str, tmp_path: Path) -> None:
    acknowledged: dict[int, str] = {}
    for run, passes in enumerate((1, 2, 3, 5, 8)):
        told = write(tmp_path, str(run), crash_at=f"{point}:{passes}")
        assert not told.keys() & acknowledged.keys()
        acknowledged |= told
    acknowledged |= write(tmp_path, "5")

    assert len(acknowledged) >= THREADS * REQUESTS
    check(tmp_path, acknowledged, runs=6)


@pytest.mark.crash
@pytest.mark.parametrize("skipped", SYNCED)
def test_a_kill_is_noticed_where_a_sync_is_left_out(skipped: str, tmp_path: Path) -> None:
    acknowledged = write(tmp_path, "0", crash_at="inbox.after_mark:9", skip=skipped)
    assert acknowledged

    with pytest.raises((AssertionError, TidelakeError, IndexError)):
        check(tmp_path, acknowledged, runs=1)


@pytest.mark.crash
def test_the_same_kill_without_a_sync_left_out_loses_nothing(tmp_path: Path) -> None:
    acknowledged = write(tmp_path, "0", crash_at="inbox.after_mark:9")
    assert acknowledged

    check(tmp_path, acknowledged, runs=1)


@pytest.mark.crash
def test_a_mark_that_a_power_loss_took_is_found_again_from_the_segments(tmp_path: Path) -> None:
    acknowledged = write(tmp_path, "0", crash_at="inbox.after_mark:9")
    for mark in (tmp_path / "run").rglob("*.mark"):
        mark.unlink()

    check(tmp_path, acknowledged, runs=1)
    acknowledged |= write(tmp_path, "1")
    check(tmp_path, acknowledged, runs=2)
