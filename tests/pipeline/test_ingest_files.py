"""Files of every form come into the lake once, however often and however they are given."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest
import zstandard

from tidelake.errors import UsageError
from tidelake.generate import GeneratorSpec, generate, spread_bad
from tidelake.lake.tables import load_table
from tidelake.pipeline.books import read_books
from tidelake.pipeline.ingest_files import Ingested, ingest_files
from tidelake.pipeline.lakehouse import Lakehouse
from tidelake.pipeline.stopping import Stop

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
