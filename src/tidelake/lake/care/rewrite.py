"""Rewrites files of one day as one, row for row and byte for byte, within a bounded memory."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from tidelake.event.contract import Contract
from tidelake.lake.care.plan import Rewrite
from tidelake.lake.entries import LiveFile
from tidelake.lake.parquet import describe, layout
from tidelake.lake.tables import SORT_BY, SORTED
from tidelake.lake.trouble import translated
from tidelake.lake.writer import REWRITTEN, StoredFile, Writer

if TYPE_CHECKING:
    from pyiceberg.io import FileIO

# Decompressed bytes that are gathered before they are written as a row group. About eight times
# what lies on disk, so a row group is 8 MB there: enough for scans, little for a laptop.
GROUP_BYTES = 64 * 1024 * 1024
BATCH_ROWS = 8192
SORT_MEMORY = "256MB"


def rewrite(job: Rewrite, contract: Contract, io: FileIO, writer: Writer) -> StoredFile:
    """One stored file with all rows of the job's files; no table knows it yet.

    Raises `UnavailableError` where a file could not be read or written.
    """
    location = writer.new_location(contract.table, job.day, REWRITTEN)
    with translated(f"rewrite {len(job.files)} files of {contract.table} {job.day}"):
        batches = _batches(job.files, contract, io)
        if job.sort:
            with _in_order(batches, contract) as ordered:
                return _write(ordered, contract, io, location, job)
        return _write(batches, contract, io, location, job)


def _batches(files: Iterable[LiveFile], contract: Contract, io: FileIO) -> Iterator[pa.RecordBatch]:
    for file in files:
        with io.new_input(file.location).open() as stream, pq.ParquetFile(stream) as parquet:
            present = set(parquet.schema_arrow.names)
            names = [name for name in contract.names if name in present]
            for batch in parquet.iter_batches(BATCH_ROWS, columns=names):
                yield _conformed(batch, contract)


def _conformed(batch: pa.RecordBatch, contract: Contract) -> pa.RecordBatch:
    """The contract's columns in its order; a column that was evolved later is null."""
    schema = layout(contract).schema
    present = set(batch.schema.names)
    columns = [
        batch.column(f.name).cast(f.type) if f.name in present else pa.nulls(batch.num_rows, f.type)
        for f in schema
    ]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _write(
    batches: Iterable[pa.RecordBatch],
    contract: Contract,
    io: FileIO,
    location: str,
    job: Rewrite,
) -> StoredFile:
    collected: list[pq.FileMetaData] = []
    rule = layout(contract)
    with io.new_output(location).create() as out:
        sink = out if isinstance(out, pa.NativeFile) else pa.PythonFile(out, mode="w")
        with rule.writer(sink, collected) as writer:
            for group in _groups(batches):
                writer.write_table(pa.Table.from_batches(group, rule.schema))
        size = out.tell()
    metadata = collected[0]
    statistics = describe(metadata, contract)
    return StoredFile(
        table=contract.table,
        location=location,
        day=job.day,
        rows=metadata.num_rows,
        size=size,
        column_sizes=statistics.column_sizes,
        value_counts=statistics.value_counts,
        null_counts=statistics.null_counts,
        lower_bounds=statistics.lower_bounds,
        upper_bounds=statistics.upper_bounds,
        split_offsets=statistics.split_offsets,
        sort_order=SORTED if job.sort else 0,
    )


def _groups(batches: Iterable[pa.RecordBatch]) -> Iterator[list[pa.RecordBatch]]:
    group: list[pa.RecordBatch] = []
    size = 0
    for batch in batches:
        group.append(batch)
        size += batch.nbytes
        if size >= GROUP_BYTES:
            yield group
            group, size = [], 0
    if group:
        yield group


@contextmanager
def _in_order(
    batches: Iterator[pa.RecordBatch], contract: Contract
) -> Iterator[Iterator[pa.RecordBatch]]:
    """The rows in the order of a finished day; beyond its memory DuckDB sorts on disk."""
    import duckdb

    reader = pa.RecordBatchReader.from_batches(layout(contract).schema, batches)
    order = ", ".join(f"{column} nulls last" for column in SORT_BY[contract.table])
    with (
        tempfile.TemporaryDirectory(prefix="tidelake-sort-") as spill,
        duckdb.connect(
            config={"memory_limit": SORT_MEMORY, "temp_directory": spill, "threads": 1}
        ) as connection,
    ):
        connection.execute("set timezone = 'UTC'")
        ordered = connection.from_arrow(reader).order(order)
        rows = ordered.to_arrow_reader(BATCH_ROWS)
        yield (_conformed(batch, contract) for batch in rows)
