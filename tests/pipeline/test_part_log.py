"""What parts say is kept in two files of bounded size, and no line is lost between them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from tidelake.pipeline.part_log import LoggedProcess, PartLog

TALK = "import sys; [print(f'line {{n:05d}}', flush=n % 7 == 0) for n in range({count})]"


def part(log: PartLog, code: str) -> LoggedProcess:
    return LoggedProcess([sys.executable, "-c", code], log, dict(os.environ))


def test_a_log_is_put_aside_while_its_part_runs_and_no_line_is_lost_or_cut(tmp_path: Path) -> None:
    log = PartLog(tmp_path / "ingest.log", longest_bytes=40_000)

    assert part(log, TALK.format(count=6_000)).wait(30) == 0

    kept = log.aside.read_text() + log.path.read_text()
    assert kept == "".join(f"line {n:05d}\n" for n in range(6_000))
    assert log.path.stat().st_size <= 40_000


def test_only_what_was_put_aside_last_is_kept_beside_the_log(tmp_path: Path) -> None:
    log = PartLog(tmp_path / "ingest.log", longest_bytes=70_000)

    part(log, TALK.format(count=50_000)).wait(30)

    files = {path.name: path.stat().st_size for path in tmp_path.iterdir()}
    assert set(files) == {"ingest.log", "ingest.log.1"}
    assert max(files.values()) <= 70_000
    kept = (log.aside.read_text() + log.path.read_text()).splitlines()
    assert kept == [f"line {n:05d}" for n in range(50_000 - len(kept), 50_000)]


def test_a_line_without_an_end_does_not_grow_the_log_for_ever(tmp_path: Path) -> None:
    log = PartLog(tmp_path / "care.log", longest_bytes=100_000)

    part(log, "import sys; [sys.stdout.write('\\r50 %' * 1000) for n in range(200)]").wait(30)

    assert max(path.stat().st_size for path in tmp_path.iterdir()) <= 100_000


def test_a_part_that_has_ended_has_its_last_words_in_the_log(tmp_path: Path) -> None:
    log = PartLog(tmp_path / "load.log")
    log.path.write_text("of yesterday\n")
    begun = log.begin()

    process = part(log, "import sys; print('to both'); sys.exit('the end')")
    while process.poll() is None:
        time.sleep(0.01)

    assert sorted(log.words_since(begun).splitlines()) == ["the end", "to both"]


def test_words_since_a_start_are_found_after_the_log_was_put_aside(tmp_path: Path) -> None:
    log = PartLog(tmp_path / "load.log", longest_bytes=100)
    log.write(b"of yesterday\n" * 7)
    begun = log.begin()

    log.write(b"of today\n")
    log.write(b"the last\n")

    assert log.words_since(begun) == "of today\nthe last\n"


def test_a_child_that_outlives_its_part_holds_nobody_up(tmp_path: Path) -> None:
    log = PartLog(tmp_path / "collect.log")
    child = "import time; time.sleep(600)"
    code = f"import subprocess, sys; c = subprocess.Popen([sys.executable, '-c', {child!r}]);"
    process = part(log, f"{code} print(c.pid)")

    assert process.wait(30) == 0

    orphan = int(log.path.read_text())
    os.kill(orphan, 9)


def test_a_part_goes_on_to_its_end_when_the_one_who_kept_its_log_was_killed(
    tmp_path: Path,
) -> None:
    talk = f"import time; time.sleep(1); {TALK.format(count=100)}; open('done', 'w').close()"
    keep = (
        "import os, sys; from pathlib import Path;"
        "from tidelake.pipeline.part_log import LoggedProcess, PartLog;"
        f"said = [sys.executable, '-c', {talk!r}];"
        "LoggedProcess(said, PartLog(Path('x.log')), dict(os.environ));"
        "os.kill(os.getpid(), 9)"
    )
    source = str(Path(__file__).parents[2] / "src")
    subprocess.run(
        [sys.executable, "-c", keep],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": source},
        check=False,
    )

    deadline = time.monotonic() + 30
    while not (tmp_path / "done").exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
