"""Files of every form come into the lake once, however often and however they are given."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import duckdb
import pytest
import zstandard
from tests.pipeline.running import STOP_WITHIN_S, tidelake

from tidelake.errors import UsageError
from tidelake.generate import GeneratorSpec, generate, spread_bad
from tidelake.lake.tables import load_table
from tidelake.pipeline.books import read_books
from tidelake.pipeline.ingest_files import Ingested, ingest_files
from tidelake.pipeline.lake import plan_rollback, roll_back
from tidelake.pipeline.lakehouse import Lakehouse
from tidelake.pipeline.rejected import Where
from tidelake.pipeline.replay import replay
from tidelake.pipeline.rules import rules_of
from tidelake.pipeline.stopping import Stop
from tidelake.settings import Settings

NOW = datetime.now(UTC)


def lines(count: int, seed: int = 1, bad: float = 0) -> bytes:
    spec = GeneratorSpec(
        seed=seed,
        users=500,
        start=NOW - timedelta(days=2),
        end=NOW - timedelta(hours=1),
        count=count,
        bad=spread_bad(bad),
    )
    return b"".join(chunk.lines() for chunk in generate(spec))


def ids(lakehouse: Lakehouse) -> list[str]:
    rows = load_table(lakehouse.catalog, "events").scan(selected_fields=("event_id",)).to_arrow()
    return sorted(rows["event_id"].to_pylist())


def ids_of(text: bytes) -> list[str]:
    return sorted(json.loads(line)["event_id"] for line in text.splitlines())


def write_parquet(path: Path, text: bytes) -> None:
    """One column a member of the record, as an export of another tool has them."""
    source = path.with_suffix(".source")
    source.write_bytes(text)
    duckdb.sql(f"copy (select * from read_json('{source}')) to '{path}' (format parquet)")


def test_one_file_of_each_form_is_in_the_lake_and_balances(
    lakehouse: Lakehouse, tmp_path: Path
) -> None:
    texts = [lines(60, seed) for seed in range(5)]
    (tmp_path / "plain.ndjson").write_bytes(texts[0])
    (tmp_path / "packed.gz").write_bytes(gzip.compress(texts[1]))
    (tmp_path / "packed.zst").write_bytes(zstandard.compress(texts[2]))
    (tmp_path / "array.json").write_bytes(b"[" + b",".join(texts[3].splitlines()) + b"]")
    write_parquet(tmp_path / "table.parquet", texts[4])
    paths = [str(p) for p in sorted(tmp_path.glob("*.*")) if p.suffix != ".source"]

    results = ingest_files(lakehouse, paths, Stop())

    assert [(r.name, r.records, r.events, r.rejected) for r in results] == [
        (Path(path).name, 60, 60, 0) for path in paths
    ]
    assert ids(lakehouse) == ids_of(b"".join(texts))
    assert read_books(lakehouse).wrong() == []


def test_the_same_bytes_are_taken_once_whatever_the_file_is_called(
    lakehouse: Lakehouse, tmp_path: Path
) -> None:
    text = lines(50, bad=0.2)
    first, second = tmp_path / "a.ndjson", tmp_path / "b.ndjson"
    first.write_bytes(text)
    second.write_bytes(text)

    ingest_files(lakehouse, [str(first)], Stop())
    (again,) = ingest_files(lakehouse, [str(second)], Stop())

    assert again == Ingested("b.ndjson", 50, already=True)
    assert read_books(lakehouse).total_accepted == 50


def test_an_interrupted_ingest_goes_on_where_it_stopped(
    lakehouse: Lakehouse, tmp_path: Path
) -> None:
    path = tmp_path / "a.ndjson"
    path.write_bytes(lines(50))
    stopped = Stop()
    stopped.set()

    (interrupted,) = ingest_files(lakehouse, [str(path)], stopped)
    (finished,) = ingest_files(lakehouse, [str(path)], Stop())

    assert (interrupted.whole, interrupted.events) == (False, 0)
    assert (finished.whole, finished.events) == (True, 50)
    assert len(ids(lakehouse)) == 50


def test_bad_records_are_rejected_and_their_neighbours_are_not(
    lakehouse: Lakehouse, tmp_path: Path
) -> None:
    path = tmp_path / "mixed.ndjson"
    path.write_bytes(lines(20) + b"{\n\xff\xfe\nnull\n" + lines(20, seed=2))

    (result,) = ingest_files(lakehouse, [str(path)], Stop())

    assert (result.records, result.events, result.rejected) == (43, 40, 3)
    assert read_books(lakehouse).balanced


def test_an_empty_file_is_nothing_and_no_error(lakehouse: Lakehouse, tmp_path: Path) -> None:
    path = tmp_path / "empty.ndjson"
    path.touch()

    (result,) = ingest_files(lakehouse, [str(path)], Stop())

    assert (result.records, result.whole) == (0, True)


def test_old_events_are_taken_where_the_caller_widens_the_limit(
    lakehouse: Lakehouse, tmp_path: Path
) -> None:
    record = {"event_id": "1", "event_type": "click", "user_id": "u", "timestamp": "2015-06-01"}
    path = tmp_path / "old.ndjson"
    path.write_text(json.dumps(record) + "\n")

    (refused,) = ingest_files(lakehouse, [str(path)], Stop())
    path.write_text(json.dumps(record) + " \n")
    (taken,) = ingest_files(lakehouse, [str(path)], Stop(), max_age_days=365 * 20)

    assert (refused.rejected, taken.events) == (1, 1)


def test_a_file_that_is_cut_short_is_an_error_and_nothing_of_any_file_is_taken(
    lakehouse: Lakehouse, tmp_path: Path
) -> None:
    good, cut = tmp_path / "good.ndjson", tmp_path / "cut.gz"
    good.write_bytes(lines(20))
    cut.write_bytes(gzip.compress(lines(200))[:-50])

    with pytest.raises(UsageError, match=r"cut\.gz"):
        ingest_files(lakehouse, [str(good), str(cut)], Stop())

    assert ids(lakehouse) == []


def test_progress_tells_how_many_records_the_lake_holds(
    lakehouse: Lakehouse, tmp_path: Path
) -> None:
    path = tmp_path / "a.ndjson"
    path.write_bytes(lines(40))
    told: list[tuple[int, int]] = []

    ingest_files(lakehouse, [str(path)], Stop(), progress=lambda *done: told.append(done))

    assert told[-1] == (40, 40)


def old_lines(count: int) -> bytes:
    record = {"event_type": "click", "user_id": "u", "timestamp": "2015-06-01"}
    return b"".join(
        json.dumps(record | {"event_id": str(n)}).encode() + b"\n" for n in range(count)
    )


def test_a_file_that_is_rejected_nearly_all_is_not_taken_and_can_be_given_again(
    lakehouse: Lakehouse, tmp_path: Path
) -> None:
    path = tmp_path / "old.ndjson"
    path.write_bytes(old_lines(40) + lines(3))

    with pytest.raises(UsageError, match=r"old\.ndjson.*40 would be rejected, 40 as too_early"):
        ingest_files(lakehouse, [str(path)], Stop())
    (mended,) = ingest_files(lakehouse, [str(path)], Stop(), max_age_days=365 * 20)

    assert (mended.events, mended.rejected) == (43, 0)
    assert read_books(lakehouse).balanced


def test_a_file_of_few_records_is_taken_whatever_is_rejected_of_it(
    lakehouse: Lakehouse, tmp_path: Path
) -> None:
    path = tmp_path / "old.ndjson"
    path.write_bytes(old_lines(19))

    (result,) = ingest_files(lakehouse, [str(path)], Stop())

    assert (result.rejected, result.whole) == (19, True)


def test_a_file_in_another_format_is_not_taken_and_can_be_given_again(
    lakehouse: Lakehouse, tmp_path: Path
) -> None:
    path = tmp_path / "segment.ndjson"
    path.write_bytes(segment_lines(30))

    with pytest.raises(UsageError, match="of another format"):
        ingest_files(lakehouse, [str(path)], Stop())
    (mended,) = ingest_files(lakehouse, [str(path)], Stop(), format="segment")

    assert (mended.events, mended.rejected) == (30, 0)


def segment_lines(count: int) -> bytes:
    call = {"type": "track", "event": "Order Completed", "userId": "u", "timestamp": str(NOW)}
    calls = [call | {"messageId": f"m{n}", "properties": {"total": n}} for n in range(count)]
    return b"".join(json.dumps(one).encode() + b"\n" for one in calls)


def test_with_force_a_file_is_taken_whatever_is_rejected_of_it(
    lakehouse: Lakehouse, tmp_path: Path
) -> None:
    path = tmp_path / "old.ndjson"
    path.write_bytes(old_lines(40))

    (result,) = ingest_files(lakehouse, [str(path)], Stop(), force=True)

    assert (result.rejected, result.whole) == (40, True)


def test_what_was_taken_in_a_wrong_format_becomes_events_by_a_replay_in_the_right_one(
    lakehouse: Lakehouse, tmp_path: Path
) -> None:
    path = tmp_path / "segment.ndjson"
    path.write_bytes(segment_lines(30))
    ingest_files(lakehouse, [str(path)], Stop(), force=True)
    rules = rules_of(lakehouse.settings)

    by_its_own = replay(lakehouse, Where(), rules)
    mended = replay(lakehouse, Where(), rules, format="segment")

    assert (by_its_own.passed, mended.passed, mended.still.total()) == (0, 30, 0)
    assert ids(lakehouse) == sorted(f"m{n}" for n in range(30))
    assert read_books(lakehouse).balanced


class Meanwhile(Stop):
    """Lets `other` happen when first waited for: our takes are under way then."""

    def __init__(self, other: Callable[[], object]) -> None:
        super().__init__()
        self._others = [other]

    def wait(self, seconds: float) -> bool:
        if self._others:
            self._others.pop()()
        return super().wait(seconds)


def test_two_ingests_of_one_file_at_once_take_it_once_and_neither_fails(
    lakehouse: Lakehouse, tmp_path: Path
) -> None:
    text = lines(50)
    path = tmp_path / "a.ndjson"
    path.write_bytes(text)
    first: list[Ingested] = []
    other = Meanwhile(lambda: first.extend(ingest_files(lakehouse, [str(path)], Stop())))

    (second,) = ingest_files(lakehouse, [str(path)], other)

    assert first == [Ingested("a.ndjson", 50, events=50)]
    assert second == Ingested("a.ndjson", 50, already=True)
    assert ids(lakehouse) == ids_of(text)
    assert read_books(lakehouse).wrong() == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--format", "cdc"), "'cdc' is not one of"),
        (("--since", f"{NOW + timedelta(days=2):%Y-%m-%d}"), "is in the future"),
    ],
)
def test_what_can_not_be_meant_is_refused_before_a_file_is_opened(
    tmp_path: Path, options: tuple[str, str], said: str
) -> None:
    command = [sys.executable, "-m", "tidelake", "ingest", "none", *options]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert (done.returncode, said in done.stderr) == (2, True)
    assert list(tmp_path.iterdir()) == []


def test_nothing_in_a_home_is_readable_by_other_users(
    home_settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "a.ndjson").write_bytes(lines(20))
    process = tidelake(home_settings, "ingest", str(tmp_path / "a.ndjson"))
    said, _ = process.communicate(timeout=STOP_WITHIN_S)

    assert process.returncode == 0, said
    inside = list(home_settings.home.rglob("*"))
    assert len(inside) > 10
    assert [path for path in inside if path.stat().st_mode & 0o066] == []
    assert home_settings.home.stat().st_mode & 0o066 == 0


def test_a_file_that_was_rolled_back_is_taken_anew_with_an_empty_line_at_its_end(
    lakehouse: Lakehouse, tmp_path: Path
) -> None:
    kept, path = tmp_path / "kept.ndjson", tmp_path / "loaded.ndjson"
    kept.write_bytes(lines(10))
    path.write_bytes(lines(30, seed=2))
    ingest_files(lakehouse, [str(kept)], Stop())
    before = load_table(lakehouse.catalog, "events").metadata.current_snapshot_id
    ingest_files(lakehouse, [str(path)], Stop())
    plan = plan_rollback(lakehouse, str(before), datetime.now(UTC))
    roll_back(lakehouse, plan, uuid4())
    assert plan.rows_removed == 30
    (same,) = ingest_files(lakehouse, [str(path)], Stop())

    path.write_bytes(path.read_bytes() + b"\n")
    (anew,) = ingest_files(lakehouse, [str(path)], Stop())

    assert (same.already, anew.already, anew.events) == (True, False, 30)
    assert len(ids(lakehouse)) == 40
    assert read_books(lakehouse).wrong() == []
