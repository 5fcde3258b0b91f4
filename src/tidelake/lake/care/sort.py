"""Sorting more rows than memory holds, by one pass over the keys and one over the rows.

Not by DuckDB: its sort of rows this wide (1.7 kB, mostly `_doc`) ran out of 256 MB at 500 MB of
rows, disk or not.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

BUCKET_BYTES = 32 * 1024 * 1024  # Arrow bytes that are put in order at a time

Read = Callable[[list[str]], Iterator[pa.RecordBatch]]


def in_order(read: Read, schema: pa.Schema, keys: tuple[str, ...]) -> Iterator[pa.RecordBatch]:
    """All rows in the order of `keys`, nulls last; rows of equal keys keep their order.

    `read` gives the rows of the named columns, as often as it is asked, in the same order. In
    memory are the keys of all rows and one bucket; the rest lies in a temporary folder.
    """
    ranks = _ranks(read, keys)
    with tempfile.TemporaryDirectory(prefix="tidelake-sort-") as folder:
        paths = _spill(read(schema.names), schema, ranks, Path(folder))
        start = 0
        for path in paths:
            with pa.memory_map(str(path)) as source:
                bucket = pa.ipc.open_file(source).read_all()
            rank = bucket.column(RANK).to_numpy() - start
            order = np.empty(len(rank), dtype=np.int64)
            order[rank] = np.arange(len(rank))
            start += len(rank)
            yield from bucket.drop_columns([RANK]).take(pa.array(order)).to_batches()
            path.unlink()


RANK = "__rank"  # no column of a contract begins so


def _ranks(read: Read, keys: tuple[str, ...]) -> NDArray[np.int64]:
    """For each row, in the order of reading, its place among all."""
    table = pa.Table.from_batches(list(read(list(keys))))
    by = [(key, "ascending") for key in keys]
    order = pc.sort_indices(table, sort_keys=by).to_numpy()  # stable, nulls at the end
    ranks = np.empty(len(order), dtype=np.int64)
    ranks[order] = np.arange(len(order))
    return ranks


def _spill(
    batches: Iterator[pa.RecordBatch], schema: pa.Schema, ranks: NDArray[np.int64], folder: Path
) -> list[Path]:
    """Writes each row into the file of its bucket; a bucket is a run of ranks."""
    with ExitStack() as files:
        rows_each = 0
        writers: list[pa.ipc.RecordBatchFileWriter] = []
        paths: list[Path] = []
        options = pa.ipc.IpcWriteOptions(compression="lz4")
        spilled = schema.append(pa.field(RANK, pa.int64()))
        start = 0
        for batch in batches:
            if not writers:
                rows_each = max(1, BUCKET_BYTES * batch.num_rows // max(batch.nbytes, 1))
                paths = [folder / f"{n}" for n in range(-(-len(ranks) // rows_each))]
                writers = [
                    files.enter_context(pa.ipc.new_file(str(path), spilled, options=options))
                    for path in paths
                ]
            rank = ranks[start : start + batch.num_rows]
            start += batch.num_rows
            ranked = pa.RecordBatch.from_arrays([*batch.columns, pa.array(rank)], schema=spilled)
            bucket = rank // rows_each
            for n in np.unique(bucket):
                writers[n].write_batch(ranked.take(pa.array(np.flatnonzero(bucket == n))))
        return paths
