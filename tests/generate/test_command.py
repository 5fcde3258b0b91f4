"""`tidelake generate` as people run it: from the shell, into files, pipes and collectors."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.generate.test_http_sender import _serving

from tidelake.cli.generate import main
from tidelake.generate import GeneratorSpec, generate
from tidelake.generate.file_sink import write_file

ROOT = Path(__file__).resolve().parents[2]
WEEK = ("--start", "2026-11-01", "--end", "2026-11-08", "--users", "300")


def _run(*arguments: str, app: str = "mock_generator") -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, str(ROOT / "apps" / app / "main.py"), *arguments]
    return subprocess.run(command, capture_output=True, timeout=60, check=False)


def _ok(*arguments: str, app: str = "mock_generator") -> bytes:
    done = _run(*arguments, app=app)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


@pytest.mark.parametrize("app", ["mock_generator", "mock-generator"])
def test_without_options_a_thousand_events_go_to_stdout_and_nothing_else(app: str) -> None:
    done = _run(app=app)

    assert (done.returncode, done.stderr) == (0, b"")
    assert [len(json.loads(line)) for line in done.stdout.splitlines()][999:] != []
    assert done.stdout.count(b"\n") == 1000


def test_a_file_its_gzip_and_stdout_hold_the_same_bytes(tmp_path: Path) -> None:
    plain, packed = tmp_path / "a.ndjson", tmp_path / "a.ndjson.gz"
    options = ("-n", "2000", *WEEK, "--bad", "0.02", "--repeat", "0.02")
    shown = _ok(*options)
    _ok(*options, "-o", str(plain))
    _ok(*options, "-o", str(packed))

    assert plain.read_bytes() == shown
    assert gzip.decompress(packed.read_bytes()) == shown
    assert shown.count(b"\n") == 2000


def test_the_same_text_is_the_same_gzip_file(tmp_path: Path) -> None:
    for name in ("a.gz", "b.gz"):
        write_file(tmp_path / name, generate(GeneratorSpec(count=2000, users=300)))

    assert (tmp_path / "a.gz").read_bytes() == (tmp_path / "b.gz").read_bytes()


def test_a_reader_that_goes_away_ends_it_quietly() -> None:
    command = f"{sys.executable} {ROOT}/apps/mock_generator/main.py -n 100000 | head -n 1"
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command}"], capture_output=True, timeout=60, check=False
    )

    assert done.stdout.count(b"\n") == 1
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_rate_and_a_duration_make_live_events() -> None:
    lines = _ok("--rate", "200", "--duration", "1", "--users", "300").splitlines()

    assert len(lines) == 200


def test_live_events_of_two_runs_are_of_other_sessions_unless_a_seed_is_given() -> None:
    def sessions(*arguments: str) -> set[str]:
        live = ("--rate", "2000", "--duration", "0.25", "--users", "300")
        events = [json.loads(line) for line in _ok(*live, *arguments).splitlines()]
        return {event["_doc"]["session_info"]["session_id"] for event in events}

    assert not sessions() & sessions()
    assert sessions("--seed", "1") & sessions("--seed", "1")


def test_a_rate_and_days_hand_over_a_history_at_that_rate() -> None:
    lines = _ok("-n", "500", "--rate", "5000", "--days", "2").splitlines()
    days = {json.loads(line)["timestamp"][:10] for line in lines}

    assert len(lines) == 500
    assert len(days) >= 2


def test_a_collector_gets_the_events_and_the_sum_is_said_on_stderr() -> None:
    with _serving() as collector:
        done = _run("-n", "1200", *WEEK, "--bad", "0.1", "-o", collector.url, "--key", "k")

    assert done.returncode == 0, done.stderr.decode()
    assert done.stdout == b""
    assert len(collector.lines) == 1200
    assert b"1,200 lines" in done.stderr
    assert b"120 bad, accepted 1,200, refused 0" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--bad-kind", "not_jsn=0.1"), "no kind of bad record is called 'not_jsn'"),
        (("--bad-kind", "not_json"), "KIND=SHARE"),
        (("--start", "yesterday"), "not a time"),
        (("--start", "2026-01-02", "--days", "3"), "Give one of them"),
        (("--duration", "3"), "--duration is for live events"),
        (("--rate", "3", "--duration", "3", "-n", "5"), "both say when to end"),
        (("-n", "1", "-o", "/no/such/folder/file"), "cannot write /no/such/folder/file"),
    ],
)
def test_a_command_that_cannot_mean_anything_says_so(
    arguments: Sequence[str],
    says: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys, "argv", ["main.py", *arguments])

    with pytest.raises(SystemExit) as ended:
        main()

    assert ended.value.code == 2
    assert says in capsys.readouterr().err


def test_help_teaches_with_examples() -> None:
    text = " ".join(_ok("--help").decode().split())

    for words in ("Examples", "events.ndjson.gz", "--rate 500 --duration 60", "--bad-kind"):
        assert words in text
