"""Rejected records can be found, shown and exported, whatever bytes they hold."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tidelake.errors import UsageError
from tidelake.pipeline.rejected import Where, find, show

REASONS = {"not_json": 1, "not_utf8": 1, "too_early": 1, "missing_field": 1}


def position(lake: Any, reason: str) -> str:
    (row,) = find(lake.lakehouse, Where(reasons=(reason,)), 5).rows
    return str(row["source_position"])


def test_rejects_are_counted_by_reason_and_listed_newest_first(lake: Any) -> None:
    lake.fill(1, bad=[b"[]"], received_at=1_795_180_000_000_000)
    found = find(lake.lakehouse, Where(), 2)

    assert found.by_reason == REASONS | {"not_an_object": 1}
    assert found.rows[0]["reason"] == "not_an_object"
    assert len(found.rows) == 2


@pytest.mark.parametrize(
    ("options", "count"),
    [
        (["--reason", "too_early"], 1),
        (["--reason", "too_early", "--reason", "not_json"], 2),
        (["--field", "user_id"], 1),
        (["--project", "shop"], 4),
        (["--project", "another"], 0),
        (["--since", "2026-11-20T12:00:00Z"], 4),
        (["--since", "2026-11-20T12:00:00.1Z"], 0),
        (["--until", "2026-11-20"], 0),
    ],
)
def test_rejects_are_chosen_by(lake: Any, run: Any, options: list[str], count: int) -> None:
    done = run("rejected", "export", *options)

    assert done.exit_code == 0
    assert len(done.stdout.splitlines()) == count


def test_an_unknown_reason_is_refused_with_those_there_are(lake: Any, run: Any) -> None:
    with pytest.raises(UsageError, match="no reason") as refused:
        run("rejected", "list", "--reason", "bad")

    assert "too_early" in refused.value.hint


def test_a_list_in_a_pipe_cuts_no_position(lake: Any, run: Any) -> None:
    done = run("rejected", "list")

    assert position(lake, "too_early") in done.stdout
    assert "\x1b" not in done.stdout


def test_a_record_is_shown_with_everything_that_is_known_of_it(lake: Any, run: Any) -> None:
    done = run("rejected", "show", position(lake, "too_early"))

    assert "too_early" in done.stdout
    assert '"event_id": "e900"' in done.stdout
    assert '{"project":"shop"}' in done.stdout


def test_bytes_that_are_no_text_are_shown_in_hex(lake: Any, run: Any) -> None:
    at = position(lake, "not_utf8")

    assert "ff 00 20 62 79" in run("rejected", "show", at).stdout
    assert json.loads(run("rejected", "show", at, "--json").stdout)["body_base64"]


def test_a_position_of_no_rejected_record_is_said_to_be_none(lake: Any) -> None:
    with pytest.raises(UsageError, match="no rejected record"):
        show(lake.lakehouse, f"{lake.stream}/1")
    with pytest.raises(UsageError, match="is no position"):
        show(lake.lakehouse, "4711")


def test_raw_export_gives_the_bytes_as_received_one_a_line(lake: Any, run: Any) -> None:
    done = run("rejected", "export", "--format", "raw", "--reason", "not_json")

    assert done.stdout == '{"event_id": "cut\n'


def test_parquet_export_has_every_column(lake: Any, run: Any, tmp_path: Path) -> None:
    file = tmp_path / "rejected.parquet"
    run("rejected", "export", "--format", "parquet", "--output", str(file), "--limit", "3")

    exported = pq.read_table(file)
    assert exported.num_rows == 3
    assert set(exported.column_names) == set(lake.rejects.schema().column_names)
