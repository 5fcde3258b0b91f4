"""Encoded files: one a day, the same bytes back, and statistics that a reader can prune by."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pyiceberg.expressions import EqualTo, GreaterThan
from pyiceberg.io.pyarrow import PyArrowFileIO, compute_statistics_plan, parquet_path_to_id_mapping
from pyiceberg.io.pyarrow import data_file_statistics_from_parquet_metadata as from_footer

from tidelake.event.contract import EVENTS
from tidelake.event.fields import Type
from tidelake.event.schemas.iceberg import iceberg_schema
from tidelake.lake import bounds
from tidelake.lake.parquet import describe, encode

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
STREAM = "inbox/7d0c/0"


def read(file: Any) -> pa.Table:
    return pq.read_table(pa.BufferReader(file.data))


def test_rows_of_several_days_are_one_file_a_day_in_their_order(
    make_rows: Any, make_event: Any
) -> None:
    days = [3, 1, 2, 1, 3, 1]
    rows = [make_event(STREAM, n, NOON + timedelta(days=day)) for n, day in enumerate(days)]
    files = encode(make_rows(EVENTS, rows), EVENTS)

    assert [(file.day.day, file.rows) for file in files] == [(21, 3), (22, 1), (23, 2)]
    assert [read(file)["event_id"].to_pylist() for file in files] == [
        ["e1", "e3", "e5"],
        ["e2"],
        ["e0", "e4"],
    ]


def test_days_before_1970_are_days_too(make_rows: Any, make_event: Any) -> None:
    row = make_event(STREAM, 0, datetime(1969, 12, 31, 23, 59, tzinfo=UTC))
    [file] = encode(make_rows(EVENTS, [row]), EVENTS)

    assert file.day.isoformat() == "1969-12-31"


def test_no_rows_are_no_files(make_rows: Any) -> None:
    assert encode(make_rows(EVENTS, []), EVENTS) == ()


def test_the_document_comes_back_byte_for_byte(make_rows: Any, make_event: Any) -> None:
    documents = ['{"a": "\\u0000 \\ud800"}', '{ "ü":\t1.50 }', "", "null", '{"x":"' + "y" * 9000]
    rows = [make_event(STREAM, n, _doc=document) for n, document in enumerate(documents)]
    [file] = encode(make_rows(EVENTS, rows), EVENTS)

    assert read(file)["_doc"].to_pylist() == documents


def test_columns_carry_the_field_ids(make_rows: Any, make_event: Any) -> None:
    [file] = encode(make_rows(EVENTS, [make_event(STREAM, 1)]), EVENTS)
    schema = pq.ParquetFile(pa.BufferReader(file.data)).schema_arrow
    ids = {field.name: int(field.metadata[b"PARQUET:field_id"]) for field in schema}

    assert ids == {field.name: field.id for field in EVENTS}


def test_statistics_are_those_that_pyiceberg_reads_from_the_footer(
    make_rows: Any, make_event: Any
) -> None:
    rows = [
        make_event(
            STREAM,
            n,
            user_id=None if n % 3 else f"üser-with-a-long-name-{n}",
            order_total=n * 1.5,
            session_info_pages_visited=n,
            session_info_is_new_session=bool(n % 2),
        )
        for n in range(50)
    ]
    [file] = encode(make_rows(EVENTS, rows), EVENTS)
    footer = pq.ParquetFile(pa.BufferReader(file.data)).metadata
    schema = iceberg_schema(EVENTS)
    theirs = from_footer(
        footer,
        compute_statistics_plan(schema, {"write.metadata.metrics.default": "truncate(16)"}),
        parquet_path_to_id_mapping(schema),
    ).to_serialized_dict()
    compared = {f.id for f in EVENTS if not f.bulky and f.type not in (Type.KEY, Type.STRINGS)}

    for ours, name in (
        (file.statistics.lower_bounds, "lower_bounds"),
        (file.statistics.upper_bounds, "upper_bounds"),
        (file.statistics.null_counts, "null_value_counts"),
        (file.statistics.value_counts, "value_counts"),
        (file.statistics.column_sizes, "column_sizes"),
    ):
        known = {key: value for key, value in theirs[name].items() if key in compared}
        assert {key: ours[key] for key in ours if key in compared} == known, name
    assert list(file.statistics.split_offsets) == theirs["split_offsets"]


def test_row_groups_are_described_together(make_rows: Any, make_event: Any) -> None:
    table = make_rows(EVENTS, [make_event(STREAM, n, user_id=f"u{n}") for n in range(9)])
    collected: list[pq.FileMetaData] = []
    sink = pa.BufferOutputStream()
    with pq.ParquetWriter(sink, table.schema, metadata_collector=collected) as writer:
        writer.write_table(table, row_group_size=4)
    found = describe(collected[0], EVENTS)
    user = EVENTS["user_id"].id

    assert (found.lower_bounds[user], found.upper_bounds[user]) == (b"u0", b"u8")
    assert found.value_counts[user] == 9
    assert len(found.split_offsets) == 3


@given(st.text(min_size=1))
@example("\U0010ffff" * 20)
@example("a" * 15 + "\ud7ff" + "b")
@example("a" * 16 + "z")
def test_bounds_of_text_hold_it_and_have_sixteen_characters_at_most(text: str) -> None:
    value = text.encode()
    lower, upper = bounds.lower(Type.STRING, value), bounds.upper(Type.STRING, value)

    assert lower <= value
    assert len(lower.decode()) <= 16
    if upper is None:
        assert text[:16] == "\U0010ffff" * 16
    else:
        assert upper >= value
        assert len(upper.decode()) <= 16


@given(st.binary(min_size=1))
@example(b"\xff" * 20)
def test_bounds_of_bytes_hold_them(value: bytes) -> None:
    upper = bounds.upper(Type.BINARY, value)

    assert bounds.lower(Type.BINARY, value) <= value
    assert upper >= value if upper is not None else value[:16] == b"\xff" * 16


@pytest.mark.parametrize(
    ("filter", "files"),
    [
        (EqualTo("user_id", "u3"), 1),
        (EqualTo("user_id", "zzz"), 0),
        (GreaterThan("event_time", "2026-11-21T00:00:00+00:00"), 0),
    ],
    ids=["one user", "nobody", "later"],
)
def test_a_reader_prunes_by_the_statistics(
    lake: Any, make_rows: Any, make_event: Any, filter: Any, files: int
) -> None:
    rows = [make_event(STREAM, n, user_id=f"u{n}") for n in range(1, 6)]
    lake.store_and_commit(EVENTS, make_rows(EVENTS, rows), last=5)

    assert isinstance(lake.events.io, PyArrowFileIO)
    assert len(list(lake.events.scan(row_filter=filter).plan_files())) == files
