"""Finished Parquet files from a table of the contract: one a UTC day, with Iceberg's statistics.

The statistics come from the writer's own metadata, so that no footer is read again at the commit:
that cut a commit's cost to a quarter.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tidelake.batch import EncodedFile, FileStatistics
from tidelake.event.contract import Contract
from tidelake.event.fields import Field, Type
from tidelake.event.schemas.arrow import arrow_schema
from tidelake.lake import bounds

EPOCH = date(1970, 1, 1)
DAY_US = 86_400_000_000
PAGE_BYTES = 1024 * 1024

# Setting up zstd for 146 pages takes more than half of the time of a file with one row, and late
# events of a thousand days are a thousand such files. They end up compressed by compaction.
WORTH_COMPRESSING = 8  # rows

# Nearly every value stands once: a dictionary would hold them all and save nothing.
DISTINCT = frozenset({"event_key", "event_id", "event_time", "source_position", "body"})


# zstd levels. The second takes three times the CPU and saves 7 % of the bytes, so it is for what is
# written once and stays: a finished day.
FAST, SMALL = 1, 6


@dataclass(frozen=True, slots=True)
class Layout:
    """How the columns of a contract are written."""

    schema: pa.Schema
    dictionary: list[str]
    statistics: list[str]

    def writer(
        self,
        sink: Any,
        collected: list[pq.FileMetaData],
        codec: str = "zstd",
        level: int = FAST,
    ) -> pq.ParquetWriter:
        # No Arrow schema in the footer: it is 10 kB a file, and readers go by field id.
        return pq.ParquetWriter(
            sink,
            self.schema,
            compression=codec,
            compression_level=level if codec == "zstd" else None,
            data_page_size=PAGE_BYTES,
            # Plain text beside dictionaries: Iceberg's vectorized reader in Spark knows no
            # DELTA_LENGTH_BYTE_ARRAY, which would save 1 %.
            use_dictionary=self.dictionary,
            write_statistics=self.statistics,
            store_schema=False,
            metadata_collector=collected,
        )


@lru_cache(maxsize=16)
def layout(contract: Contract) -> Layout:
    return Layout(
        arrow_schema(contract),
        [_leaf(f) for f in contract if not f.bulky and f.name not in DISTINCT],
        [_leaf(f) for f in contract if not f.bulky],
    )


def _leaf(field: Field) -> str:
    """The Parquet path of a column's values."""
    return f"{field.name}.list.element" if field.type is Type.STRINGS else field.name


def encode(table: pa.Table, contract: Contract) -> tuple[EncodedFile, ...]:
    """One file for each UTC day of the partition column, in memory, in order of the days.

    `table` has the contract's columns in its order; rows keep their order within a day.
    """
    rule = layout(contract)
    # The contract's own schema, which carries field ids and nullability, over the same columns.
    columns = [table.column(name) for name in rule.schema.names]
    whole = pa.Table.from_arrays(columns, schema=rule.schema)
    days = _by_day(whole, contract.partition_by)
    return tuple(_file(part, day, contract, rule) for day, part in days)


def _by_day(table: pa.Table, column: str) -> Iterator[tuple[date, pa.Table]]:
    """Splits by day with one sort and one gather, however many days there are."""
    if table.num_rows == 0:
        return
    micros = table.column(column).cast(pa.int64()).to_numpy()
    days = micros // DAY_US  # floors, also before 1970
    if days[0] == days[-1] and (days == days[0]).all():
        yield EPOCH + timedelta(days=int(days[0])), table
        return
    order = np.argsort(days, kind="stable")
    ordered, values = table.take(pa.array(order)), days[order]
    starts = np.flatnonzero(np.diff(values, prepend=values[0] - 1))
    for start, end in zip(starts, [*starts[1:], len(values)], strict=True):
        yield EPOCH + timedelta(days=int(values[start])), ordered.slice(start, end - start)


def _file(table: pa.Table, day: date, contract: Contract, rule: Layout) -> EncodedFile:
    sink = pa.BufferOutputStream()
    collected: list[pq.FileMetaData] = []
    codec = "zstd" if table.num_rows >= WORTH_COMPRESSING else "none"
    with rule.writer(sink, collected, codec) as writer:
        writer.write_table(table)
    return EncodedFile(
        table=contract.table,
        day=day,
        rows=table.num_rows,
        data=sink.getvalue(),
        statistics=describe(collected[0], contract),
    )


def describe(metadata: pq.FileMetaData, contract: Contract) -> FileStatistics:
    """The statistics of a file that was just written, over all its row groups."""
    groups = [metadata.row_group(i) for i in range(metadata.num_row_groups)]
    found = FileStatistics(split_offsets=tuple(_offset(group.column(0)) for group in groups))
    for index, column in enumerate(contract):
        _describe_column(found, column, [group.column(index) for group in groups])
    return found


def _describe_column(found: FileStatistics, column: Field, chunks: list[Any]) -> None:
    found.column_sizes[column.id] = sum(chunk.total_compressed_size for chunk in chunks)
    if column.bulky or column.type is Type.STRINGS:
        return  # metrics mode `none`; a list's counts would be those of its elements
    found.value_counts[column.id] = sum(chunk.num_values for chunk in chunks)
    known = [chunk.statistics for chunk in chunks]
    found.null_counts[column.id] = sum(one.null_count for one in known)
    if column.type is Type.KEY:
        return  # hashes: every file spans all of them
    # A row group of nulls has no bounds and needs none. One whose values are too long for
    # Parquet's statistics has none either, and then nothing bounds the file.
    bounded = [one for one in known if one.has_min_max]
    if not bounded or any(not one.has_min_max and one.num_values for one in known):
        return
    found.lower_bounds[column.id] = bounds.lower(column.type, min(s.min_raw for s in bounded))
    above = bounds.upper(column.type, max(s.max_raw for s in bounded))
    if above is not None:
        found.upper_bounds[column.id] = above


def _offset(chunk: Any) -> int:
    """Where a row group begins."""
    at = chunk.dictionary_page_offset if chunk.has_dictionary_page else chunk.data_page_offset
    return int(at)
