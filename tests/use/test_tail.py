"""`tidelake tail` shows each row that comes in once, whatever care does to its file meanwhile."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

from tidelake.lake.care.run import care_once
from tidelake.pipeline.tail import Tail
from tidelake.settings import Care

HOUR_US = 3_600_000_000


def ids(tail: Tail) -> list[str]:
    return sorted(row.values["source_position"] for row in tail.new())


def at(lake: Any, *numbers: int) -> list[str]:
    return sorted(f"{lake.stream}/{number}" for number in numbers)


def test_the_last_rows_come_first_then_only_new_ones(lake: Any) -> None:
    tail = Tail(lake.lakehouse)

    assert len(tail.last(25)) == 25
    assert ids(tail) == []
    lake.fill(2, bad=[b"{"])
    assert ids(tail) == at(lake, 305, 306, 307)
    assert ids(tail) == []


def test_rows_of_several_commits_come_in_order_of_receipt(empty_lake: Any) -> None:
    lake = empty_lake
    tail = Tail(lake.lakehouse)
    tail.last(0)
    start = 1_795_176_000_000_000
    for hour in (2, 1, 3):
        lake.fill(3, bad=[b"{"], received_at=start + hour * HOUR_US)

    rows = tail.new()
    assert len(rows) == 12
    assert [row.received_at for row in rows] == sorted(row.received_at for row in rows)


def test_a_file_that_was_compacted_before_it_was_seen_is_shown_once(lake: Any) -> None:
    tail = Tail(lake.lakehouse)
    tail.last(1)
    lake.fill(3, bad=())
    lake.fill(4, bad=())
    care = Care(min_files=2)
    (_, report) = care_once(lake.lakehouse.catalog, care, datetime.now(UTC), lambda _: None)
    assert report.rewrites

    assert ids(tail) == at(lake, *range(305, 312))
    assert ids(tail) == []


def test_a_commit_whose_snapshot_is_gone_is_counted_as_lost(lake: Any) -> None:
    tail = Tail(lake.lakehouse, ["events"])
    tail.last(1)
    for _ in range(3):
        lake.fill(1, bad=())
    care = Care(keep_snapshots=1, hourly_tags_h=0, daily_tags_days=0)
    care_once(lake.lakehouse.catalog, care, datetime.now(UTC) + timedelta(days=2), lambda _: None)
    ids(tail)

    assert tail.lost > 0
    assert ids(tail) == []


def test_only_rejects_since_a_time(lake: Any, run: Any) -> None:
    done = run("tail", "--rejected", "--since", "2026-11-20", "--no-follow")

    assert len(done.stdout.splitlines()) == 4
    assert '✗ not_json                        {"event_id": "cut' in done.stdout


def test_a_line_tells_type_user_and_what_happened(lake: Any, run: Any) -> None:
    lines = run("tail", "--accepted", "-n", "300", "--no-follow").stdout.splitlines()

    assert len(lines) == 300
    assert "12:00:00.000 search           user_6           /p/1  6.00" in lines


def test_json_lines_name_their_table(lake: Any, run: Any) -> None:
    done = run("tail", "--json", "--since", "2026-11-20", "--no-follow")

    tables = [json.loads(line)["table"] for line in done.stdout.splitlines()]
    assert (tables.count("events"), tables.count("rejected_events")) == (300, 4)


def test_ctrl_c_ends_it_in_silence(lake: Any) -> None:
    environment = os.environ | {
        "TIDELAKE_HOME": str(lake.settings.home),
        "TIDELAKE_POSTGRES_URL": lake.settings.postgres.url,
    }
    command = [sys.executable, "-m", "tidelake", "tail", "-n", "1"]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as tail:
        assert tail.stdout is not None
        assert tail.stdout.readline()
        tail.send_signal(signal.SIGINT)
        try:
            out, err = tail.communicate(timeout=60)
        finally:
            tail.kill()

    assert (tail.returncode, out, err) == (0, b"", b"")
