"""The dashboard as a process, and its first page without a browser."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest
from tests.dashboard import browser, sample_gold
from tests.dashboard.conftest import Served

from tidelake.dashboard.empty import curl
from tidelake.observe import heartbeat
from tidelake.pipeline.dashboard import SCRIPT

ROOT = Path(__file__).resolve().parents[2]


def first_page(home: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The HTML that the script draws for a visitor of a home."""
    from streamlit.testing.v1 import AppTest

    monkeypatch.setattr(sys, "argv", [str(SCRIPT), str(home)])
    app = AppTest.from_file(str(SCRIPT), default_timeout=60).run()
    assert not app.exception
    return "".join(str(element.proto) for element in app.main)


def visit_and_leave(url: str) -> None:
    """What a browser does that opens the first page, and is closed once that is drawn."""
    from streamlit.proto.BackMsg_pb2 import BackMsg
    from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
    from websockets import Origin
    from websockets.sync.client import connect

    asked, told = BackMsg(), ForwardMsg()
    asked.rerun_script.query_string = ""
    address = f"{url.replace('http', 'ws', 1)}/_stcore/stream"
    with connect(address, origin=Origin(url), max_size=None) as socket:
        socket.send(asked.SerializeToString())
        while told.WhichOneof("type") != "script_finished":
            told.ParseFromString(socket.recv(browser.WITHIN_S, decode=False))


def open_versions(pid: int) -> set[str]:
    """Names of the gold files that a process has open."""
    return {Path(file.path).name for file in psutil.Process(pid).open_files()
            if file.path.endswith(".duckdb")}  # fmt: skip


def test_a_home_without_gold_is_told_how_to_send_the_first_event(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = first_page(tmp_path, monkeypatch)

    assert "No events yet: send one like this" in said
    assert "No collector runs" in said
    assert "/v1/events" in said


def test_a_home_whose_only_gold_is_damaged_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "gold").mkdir()
    (tmp_path / "gold" / "gold-00000001.duckdb").write_bytes(b"no database")
    sample_gold.point(tmp_path, "gold-00000001.duckdb")

    assert "gold-00000001.duckdb can not be read" in first_page(tmp_path, monkeypatch)


def test_the_first_command_is_one_that_the_collector_takes() -> None:
    said = curl("http://127.0.0.1:8765", datetime(2026, 11, 24, 12, tzinfo=UTC))

    arguments = subprocess.run(
        ["bash", "-c", said.replace("curl", "printf '%s\\n'", 1)],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert '"timestamp": "2026-11-24T12:00:00Z"' in arguments
    assert json.loads(arguments[arguments.index("{") :])["event_type"] == "page_view"


@pytest.mark.slow
def test_the_part_says_where_it_listens_in_its_heartbeat(served: Served) -> None:
    said = browser.until(
        lambda: heartbeat.read(served.home).get("dashboard"), "it says that it runs"
    )

    assert said.values["url"] == served.url
    assert said.values["memory_bytes"] > 0


@pytest.mark.slow
def test_a_replaced_version_is_closed_while_sessions_of_those_who_saw_it_are_kept(
    served: Served,
) -> None:
    for _ in range(3):
        newest = served.publish_sample()
        visit_and_leave(served.url)

    browser.until(lambda: open_versions(served.pid) == {newest.name}, "the others are closed", 20)


@pytest.mark.slow
def test_a_taken_port_is_told_with_what_to_do(served: Served, tmp_path: Path) -> None:
    port = served.url.rpartition(":")[2]

    ended = subprocess.run(
        [sys.executable, ROOT / "apps" / "dashboard" / "main.py", "--port", port],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )

    assert ended.returncode == 3
    assert f"the dashboard can not listen on 127.0.0.1:{port}" in ended.stderr
    assert "TIDELAKE_DASHBOARD_PORT" in ended.stderr
