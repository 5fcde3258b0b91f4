"""Rewrites files of one day as one, row for row and byte for byte, within a bounded memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from tidelake.event.contract import Contract
from tidelake.lake.care.plan import Rewrite
from tidelake.lake.care.sort import in_order
from tidelake.lake.entries import LiveFile
from tidelake.lake.parquet import FAST, SMALL, describe, layout
from tidelake.lake.tables import SORT_BY, SORTED
from tidelake.lake.trouble import translated
from tidelake.lake.writer import REWRITTEN, StoredFile, Writer

if TYPE_CHECKING:
    from pyiceberg.io import FileIO

# Decompressed bytes that are gathered before they are written as a row group. About eight times
# what lies on disk, so a row group is 4 MB there: enough for scans, little for a laptop.
GROUP_BYTES = 32 * 1024 * 1024
BATCH_ROWS = 8192


def rewrite(job: Rewrite, contract: Contract, io: FileIO, writer: Writer) -> StoredFile:
    """One stored file with all rows of the job's files; no table knows it yet.

    Raises `UnavailableError` where a file could not be read or written.
    """
    location = writer.new_location(contract.table, job.day, REWRITTEN)
    with translated(f"rewrite {len(job.files)} files of {contract.table} {job.day}"):

        def read(names: Sequence[str] = contract.names) -> Iterator[pa.RecordBatch]:
            return _batches(job.files, contract, io, names)

        schema = layout(contract).schema
        rows = in_order(read, schema, SORT_BY[contract.table]) if job.sort else read()
        stored = _write(rows, contract, io, location, job)
    # The buffers are of no use until the next rewrite, which may be an hour away.
    pa.default_memory_pool().release_unused()
    return stored


def _batches(
    files: Iterable[LiveFile], contract: Contract, io: FileIO, names: Sequence[str]
) -> Iterator[pa.RecordBatch]:
    """The named columns; one that was evolved after a file was written is null there."""
    whole = layout(contract).schema
    schema = pa.schema([whole.field(name) for name in names])
    for file in files:
        with io.new_input(file.location).open() as stream, pq.ParquetFile(stream) as parquet:
            present = set(parquet.schema_arrow.names)
            known = [name for name in names if name in present]
            # One thread: several decode whole columns ahead, and care is in no hurry.
            for batch in parquet.iter_batches(BATCH_ROWS, columns=known, use_threads=False):
                yield _conformed(batch, schema)


def _conformed(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
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
        level = SMALL if job.sort else FAST
        with rule.writer(sink, collected, level=level) as writer:
            for group in _groups(batches):
                writer.write_table(pa.Table.from_batches(group, rule.schema))
        size = out.tell()
    metadata = collected[0]
    return StoredFile(
        table=contract.table,
        location=location,
        day=job.day,
        rows=metadata.num_rows,
        size=size,
        statistics=describe(metadata, contract),
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
