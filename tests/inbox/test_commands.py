"""`tidelake inbox list` and `verify`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from typer.testing import CliRunner

from tidelake.cli.app import app
from tidelake.inbox import LaneWriter, Records


def tidelake(home: Path, *arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["--home", str(home), "inbox", *arguments])
    return done.exit_code, done.output


def test_an_inbox_that_is_not_there_yet_is_said_to_be_none(home: Path) -> None:
    code, said = tidelake(home, "list")

    assert (code, said.startswith("no inbox yet")) == (0, True)
    assert tidelake(home, "verify")[0] == 0


def test_lanes_are_listed_with_what_they_hold(home: Path, claim: Callable[[], LaneWriter]) -> None:
    writer = claim()
    writer.append_and_wait(Records([b"x" * 1000] * 1234, b"{}", 0))

    code, said = tidelake(home, "list")
    assert code == 0
    assert "1,234" in said
    assert "being written" in said
    assert writer.stream in said
    (lane,) = json.loads(tidelake(home, "list", "--json")[1])
    assert (lane["mark"], lane["released"], lane["claimed"]) == (1234, 0, True)


def test_verify_names_what_is_damaged_and_exits_1(
    home: Path, claim: Callable[[], LaneWriter]
) -> None:
    writer = claim()
    for n in range(3):
        writer.append_and_wait(Records([b"%d" % n] * 5, b"{}", 0))
    writer.close()
    code, said = tidelake(home, "verify")
    assert (code, "15 records in 3 frames" in said) == (0, True)

    (segment,) = (home / "inbox" / "lanes" / "0").glob("*.seg")
    data = bytearray(segment.read_bytes())
    data[len(data) // 2] ^= 1
    segment.write_bytes(data)
    code, said = tidelake(home, "verify")
    assert code == 1
    assert "5 records are damaged" in said
    assert segment.name in said
    (verified,) = json.loads(tidelake(home, "verify", "--json")[1])
    assert (verified["rows"], [f["first"] for f in verified["findings"]]) == (10, [6])
