"""Files as people have them: packed, cut, broken, empty, in other encodings, changed meanwhile."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import sys
import threading
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tidelake.errors import (
    DamagedError,
    OverloadedError,
    SetupError,
    TidelakeError,
    UnavailableError,
    UsageError,
)
from tidelake.files import Disk, VolatileDisk
from tidelake.sources import FileSource, elements, lines
from tidelake.sources.chunk import MAX_RECORD_BYTES
from tidelake.sources.seen import Seen, first_seen

Open = Callable[..., FileSource]
RECORDS = [b'{"event_id":"%d","items":[{"a":"},{"}, {"b":[]}]}' % n for n in range(50)]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def open_content(tmp_path: Path, home: Path) -> Open:
    def open_content(content: bytes, chunk_bytes: int = 1 << 20) -> FileSource:
        (tmp_path / "events").write_bytes(content)
        return FileSource([str(tmp_path / "events")], home, Disk(), chunk_bytes=chunk_bytes)

    return open_content


def bodies(source: FileSource) -> list[bytes]:
    (stream,) = source.streams()
    found = [
        body for take in source.takes(stream, 0) for body in take.read().records["body"].to_pylist()
    ]
    assert source.accepted() == {stream: len(found)}
    return found


@pytest.mark.parametrize(
    ("content", "records"),
    [
        (b"", []),
        (b"\n\r\n\n", []),
        (b"a", [b"a"]),
        (b"a\nb\n", [b"a", b"b"]),
        (b"a\r\nb\r\n\r\nc", [b"a", b"b", b"c"]),
        (b"\n\na\n\n\nb\n\n", [b"a", b"b"]),
        (b"  \n\ta\n", [b"  ", b"\ta"]),
        (b"a\rb\n", [b"a\rb"]),
        (b"\xef\xbb\xbfa\nb", [b"a", b"b"]),
        (b"\x00\xff\n{", [b"\x00\xff", b"{"]),
    ],
)
@pytest.mark.parametrize("chunk_bytes", [1, 2, 3, 100])
def test_lines_are_records_and_empty_ones_are_not(
    content: bytes, records: list[bytes], chunk_bytes: int, open_content: Open
) -> None:
    assert bodies(open_content(content, chunk_bytes)) == records


@pytest.mark.parametrize(
    ("content", "records"),
    [
        (b"[]", []),
        (b" \n[ ] \n", []),
        (b'[{"a":1}]', [b'{"a":1}']),
        (b'\xef\xbb\xbf [{"a":1} , {"b":[1,{}]}\n]', [b'{"a":1}', b'{"b":[1,{}]}']),
        (b'[1, "a,]", null,[2]]', [b"1", b'"a,]"', b"null", b"[2]"]),
        # Broken: what is whole stays whole, what is broken is a record, nothing is left out.
        (b'[{"a":1},{"b":},{"c":3}]', [b'{"a":1}', b'{"b":}', b'{"c":3}']),
        (b'[{"a":1},{"b":2', [b'{"a":1}', b'{"b":2']),
        (b'[{"a":1},{"b":"x', [b'{"a":1}', b'{"b":"x']),
        (b'[{"a":1},,{"b":2},]', [b'{"a":1}', b'{"b":2}']),
        (b'[{"a":1}]\n[{"b":2}]', [b'[{"a":1}]', b'[{"b":2}]']),
        (b'[{"a":1}] trailing', [b'{"a":1}', b"trailing"]),
        (b'[{"a":' + b"[" * 5000 + b"]" * 5000 + b'},{"b":2}]', None),
    ],
)
@pytest.mark.parametrize("chunk_bytes", [1, 7, 12, 1000])
def test_elements_of_an_array_are_records_also_of_a_broken_one(
    content: bytes, records: list[bytes] | None, chunk_bytes: int, open_content: Open
) -> None:
    found = bodies(open_content(content, chunk_bytes))

    assert found == ([content[1:-9], b'{"b":2}'] if records is None else records)


def test_an_array_on_the_first_of_many_lines_is_one_record(open_content: Open) -> None:
    lines = [b'[{"event_id": "1"}]', b'{"event_id": "2"}', b"42"]

    assert bodies(open_content(b"\n".join(lines) + b"\n", 1000)) == lines


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    pieces=st.lists(
        st.sampled_from([*RECORDS[:4], b"1", b'"x\\""', b"{", b"]", b'"', b"\\", b"\n"])
    ),
    chunk_bytes=st.integers(1, 200),
)
def test_however_an_array_is_broken_every_byte_but_the_cuts_is_in_a_record(
    pieces: list[bytes], chunk_bytes: int
) -> None:
    content = b"[" + b",".join(pieces) + b"]"

    def read(offset: int, size: int) -> bytes:
        return content[offset : offset + size]

    found = []
    for chunk in elements.chunks(read, 1, len(content), chunk_bytes):
        raw = content[chunk.offset : chunk.end]
        cut = elements.split if chunk.cut == "elements" else elements.split_by_brackets
        records = cut(raw)
        assert (chunk.first, chunk.rows) == (len(found) + 1, len(records))
        found += records
    kept = b"".join(found).translate(None, b",] \n")
    assert kept == content[1:].translate(None, b",] \n")


@given(content=st.text("a\r\n ", max_size=60), chunk_bytes=st.integers(1, 70))
@settings(deadline=None)
def test_lines_do_not_depend_on_where_chunks_end(content: str, chunk_bytes: int) -> None:
    raw = content.encode()
    chunks = lines.chunks(lambda at, size: raw[at : at + size], 0, len(raw), chunk_bytes)
    found = [line for c in chunks for line in lines.split(raw[c.offset : c.end]).to_pylist()]

    expected = [part.removesuffix(b"\r") for part in raw.split(b"\n")]
    assert found == [part for part in expected if part]


PACKED = {
    "gzip": gzip.compress(b"\n".join(RECORDS)),
    "gzips": gzip.compress(b"\n".join(RECORDS[:20]) + b"\n")
    + gzip.compress(b"\n".join(RECORDS[20:])),
    "zstd": zstandard.compress(b"\n".join(RECORDS)),
    "zstds": zstandard.compress(b"\n".join(RECORDS[:20]) + b"\n")
    + zstandard.compress(b"\n".join(RECORDS[20:])),
    "array": gzip.compress(b"[" + b",".join(RECORDS) + b"]"),
}


@pytest.mark.parametrize("packed", PACKED.values(), ids=PACKED.keys())
def test_a_packed_file_is_known_by_its_bytes_not_its_name(
    packed: bytes, open_content: Open, home: Path
) -> None:
    source = open_content(packed)

    assert source.streams() == (f"file/{hashlib.sha256(packed).hexdigest()}/0",)
    assert bodies(source) == RECORDS
    source.close()
    assert os.listdir(home / "run" / "spool") == []


@pytest.mark.parametrize("kind", ["gzip", "gzips", "zstd", "zstds"])
@pytest.mark.parametrize("harm", ["cut", "flipped", "trailing"])
def test_a_packed_file_that_can_not_be_unpacked_is_refused_whole(
    kind: str, harm: str, open_content: Open, home: Path
) -> None:
    packed = PACKED[kind]
    spoiled = {
        "cut": packed[:-3],
        "flipped": packed[:6] + bytes(b ^ 0xFF for b in packed[6:40]) + packed[40:],
        "trailing": packed + b"rubbish",
    }[harm]

    with pytest.raises(UsageError, match="can not be unpacked as"):
        open_content(spoiled)
    assert os.listdir(home / "run" / "spool") == []


def test_a_parquet_file_gives_its_rows_as_json_with_times_in_utc(open_content: Open) -> None:
    at = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
    table = pa.table(
        {
            "event_id": ["a", "b"],
            "timestamp": pa.array([at, None], pa.timestamp("us", tz="America/New_York")),
            "_doc": [{"n": 1, "tags": ["x"]}, None],
        }
    )
    target = io.BytesIO()
    pq.write_table(table, target)

    assert bodies(open_content(target.getvalue())) == [
        b'{"event_id":"a","timestamp":"2026-01-02T03:04:05.678901Z","_doc":{"n":1,"tags":["x"]}}',
        b'{"event_id":"b","timestamp":null,"_doc":null}',
    ]


def test_a_broken_parquet_file_is_refused(open_content: Open) -> None:
    with pytest.raises(UsageError, match="can not be read as Parquet"):
        open_content(b"PAR1" + bytes(100))


def test_utf_16_is_refused_with_what_to_do(open_content: Open) -> None:
    with pytest.raises(UsageError, match="iconv"):
        open_content('{"a":1}'.encode("utf-16"))


def test_what_is_no_file_is_refused(tmp_path: Path, home: Path) -> None:
    for path, says in ((tmp_path, "is a folder"), (tmp_path / "nothing", "does not exist")):
        with pytest.raises(UsageError, match=says):
            FileSource([str(path)], home, Disk())
    with pytest.raises(UsageError, match="no format"):
        FileSource([], home, Disk(), format="xml")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_refused(tmp_path: Path, home: Path) -> None:
    (tmp_path / "secret").touch(mode=0)
    with pytest.raises(SetupError, match="permission"):
        FileSource([str(tmp_path / "secret")], home, Disk())


def test_a_very_long_line_is_one_record_and_an_endless_one_is_cut(open_content: Open) -> None:
    long = b"x" * (10 << 20)
    assert bodies(open_content(b"a\n" + long + b"\nb")) == [b"a", long, b"b"]

    endless = b"y" * (MAX_RECORD_BYTES + 100)
    assert bodies(open_content(endless + b"\nb")) == [
        endless[:MAX_RECORD_BYTES],
        endless[MAX_RECORD_BYTES:],
        b"b",
    ]


def test_a_string_that_does_not_end_takes_no_more_memory_than_a_few_windows() -> None:
    content = b'[{"a":"' + b"x" * (4 << 20)
    tracemalloc.start()
    try:
        chunks = list(elements.chunks(lambda at, n: content[at : at + n], 1, len(content), 1 << 20))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert [chunk.rows for chunk in chunks] == [1]
    assert peak < 6 * len(content)


def test_a_chunk_of_many_records_is_taken_in_parts_that_fit_with_their_envelopes(
    tmp_path: Path, home: Path
) -> None:
    path = tmp_path / ("n" * 250)
    path.write_bytes(b"1\n" * 200_000)  # 54 MB of envelopes
    source = FileSource([str(path)], home, Disk())
    (stream,) = source.streams()

    takes = list(source.takes(stream, 5, 199_000))
    assert [take.first for take in takes] == [6, *(take.last + 1 for take in takes[:-1])]
    assert takes[-1].last == 199_000
    for take in takes:
        batch = take.read()
        assert (batch.first, batch.last) == (take.first, take.last)
        assert batch.records.get_total_buffer_size() < 32 << 20
        assert take.size < 32 << 20


def test_a_file_that_is_changed_while_it_is_read_is_told(
    tmp_path: Path, open_content: Open
) -> None:
    source = open_content(b"\n".join(RECORDS))
    (stream,) = source.streams()
    (take,) = source.takes(stream, 0)
    with (tmp_path / "events").open("ab") as file:
        file.write(b"\nmore")

    with pytest.raises(UnavailableError, match="was changed"):
        take.read()


def test_the_same_bytes_under_two_names_are_one_stream(tmp_path: Path, home: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).write_bytes(b"x\ny\n")

    source = FileSource([str(tmp_path / "a"), str(tmp_path / "b")], home, Disk())
    assert list(source.accepted().values()) == [2]


def test_a_file_opened_again_later_gives_the_same_rows(tmp_path: Path, home: Path) -> None:
    (tmp_path / "a.json").write_bytes(b"x\ny\n")

    def rows(at: float) -> list[dict[str, object]]:
        source = FileSource([str(tmp_path / "a.json")], home, Disk(), clock=lambda: at)
        (stream,) = source.streams()
        return [r for take in source.takes(stream, 0) for r in take.read().records.to_pylist()]

    first = rows(1_764_000_000)
    os.utime(tmp_path / "a.json", (5, 5))
    (tmp_path / "a.json").rename(tmp_path / "b.json")
    (tmp_path / "b.json").rename(tmp_path / "a.json")
    assert rows(1_765_000_000) == first
    assert first[0] == {
        "body": b"x",
        "envelope": b'{"file": "a.json"}',
        "received_at": datetime.fromtimestamp(1_764_000_000, UTC),
        "source": "file",
        "format": "native",
    }


@pytest.mark.parametrize(
    "skipped", ["", "source.seen/folder", "source.seen/bytes", "source.seen/name"]
)
def test_when_a_file_was_first_seen_survives_a_kill_by_its_syncs(skipped: str, home: Path) -> None:
    home.mkdir()
    disk = VolatileDisk(skip=frozenset(filter(None, [skipped])))
    assert first_seen(home, disk, "ab", "a", 1) == Seen(1, "a")

    def again() -> Seen:
        return first_seen(home, VolatileDisk(), "ab", "b", 2)

    if skipped == "source.seen/bytes":
        with pytest.raises(DamagedError):
            again()
    else:
        assert again() == (Seen(2, "b") if skipped else Seen(1, "a"))


def test_standard_input_is_spooled_and_named(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read_end, write_end = os.pipe()
    with os.fdopen(write_end, "wb") as pipe, os.fdopen(read_end, "r") as stdin:
        feed = threading.Thread(target=lambda: (pipe.write(PACKED["gzip"]), pipe.close()))
        feed.start()
        monkeypatch.setattr(sys, "stdin", stdin)
        source = FileSource(["-"], home, Disk())
        feed.join()

    assert bodies(source) == RECORDS
    assert source.name(source.streams()[0]) == "stdin"
    source.close()


def test_a_named_pipe_is_read_once_and_taken_often(tmp_path: Path, home: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    feed = threading.Thread(target=(tmp_path / "pipe").write_bytes, args=(b"a\nb",))
    feed.start()
    source = FileSource([str(tmp_path / "pipe")], home, Disk())
    feed.join()

    assert bodies(source) == bodies(source) == [b"a", b"b"]
    source.close()


def test_unpacking_stops_before_the_disk_is_full(tmp_path: Path, home: Path) -> None:
    (tmp_path / "bomb").write_bytes(gzip.compress(bytes(1 << 20)))

    with pytest.raises(OverloadedError, match="must stay free"):
        FileSource([str(tmp_path / "bomb")], home, Disk(), min_free_bytes=1 << 60)


def test_what_a_dead_process_unpacked_is_removed(tmp_path: Path, home: Path) -> None:
    spool = home / "run" / "spool"
    spool.mkdir(parents=True)
    for name in (f"{os.getpid()}-900-mine", "999999999-0-dead"):
        (spool / name).touch()
    FileSource([], home, Disk())

    assert os.listdir(spool) == [f"{os.getpid()}-900-mine"]


def test_a_note_of_first_sight_that_can_not_be_read_is_told(home: Path) -> None:
    first_seen(home, Disk(), "ab", "a", 1)
    (home / "sources" / "ab.json").write_text("[]")

    with pytest.raises(TidelakeError, match="does not say when"):
        first_seen(home, Disk(), "ab", "a", 1)
