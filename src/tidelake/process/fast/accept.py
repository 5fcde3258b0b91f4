"""The native records of a batch that need no second look."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import compress

import pyarrow as pa
import pyarrow.compute as pc

from tidelake.batch import RawBatch
from tidelake.errors import TidelakeError
from tidelake.event.contract import Contract
from tidelake.process.envelope import Envelope, read_envelope
from tidelake.process.fast.columns import Arrival, events_of
from tidelake.process.fast.decode import decode
from tidelake.process.rules import Rules
from tidelake.process.tables import schema_of

# Records that are taken through all steps at once: their objects stay in the processor's cache and
# die young. 20,000 at once take half as long again.
CHUNK_RECORDS = 512


def accept(batch: RawBatch, contract: Contract, rules: Rules) -> tuple[pa.Table, list[int]]:
    """The rows of events that are surely right, and which rows of the batch they are.

    It only accepts, and only what `judge` would accept, with the same row and the same flags.
    """
    tables, rows = [schema_of(contract).empty_table()], []
    for start in range(0, batch.records.num_rows, CHUNK_RECORDS):
        try:
            with _no_collection():
                table, taken = _accept(_part(batch, start), contract, rules)
        except (TidelakeError, MemoryError):
            raise
        except Exception:  # a fault of ours: `judge` reads these records and names the one
            continue
        tables.append(table)
        rows += [start + row for row in taken]
    return pa.concat_tables(tables), rows


@contextmanager
def _no_collection() -> Iterator[None]:
    """Keeps the garbage collector from walking the young records: they hold no cycles to find.

    It costs a tenth of the decoder's time. Of several threads the first that ends switches it on.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _part(batch: RawBatch, start: int) -> RawBatch:
    records = batch.records.slice(start, CHUNK_RECORDS)
    return replace(batch, records=records, numbers=batch.numbers.slice(start, CHUNK_RECORDS))


def _accept(batch: RawBatch, contract: Contract, rules: Rules) -> tuple[pa.Table, list[int]]:
    bodies = batch.records["body"]
    asked = pc.and_(
        pc.equal(batch.records["format"], "native"),
        pc.less_equal(pc.binary_length(bodies), rules.max_event_bytes),
    )
    found = decode(bodies, asked, contract)
    if not found.rows:
        return schema_of(contract).empty_table(), []
    table, doubtful = events_of(found, _arrival(batch, found.rows), contract, rules)
    if not doubtful:
        return table, found.rows
    sure = [index not in doubtful for index in range(len(found.rows))]
    return table.filter(pa.array(sure, pa.bool_())), list(compress(found.rows, sure))


def _arrival(batch: RawBatch, rows: list[int]) -> Arrival:
    records, numbers = batch.records.select(["received_at", "source", "envelope"]), batch.numbers
    if len(rows) < records.num_rows:
        taken = pa.array(rows, pa.int64())
        records, numbers = records.take(taken), numbers.take(taken)
    return Arrival(
        received_at=records["received_at"].cast(pa.int64()),
        source=records["source"],
        source_position=pc.binary_join_element_wise(batch.stream, numbers.cast(pa.string()), "/"),
        envelopes=_envelopes(records["envelope"]),
    )


def _envelopes(raw: pa.BinaryArray) -> list[Envelope]:
    # A request's records share its envelope, so each distinct one is read once.
    encoded = raw.dictionary_encode()
    distinct = [read_envelope(envelope) for envelope in encoded.dictionary.to_pylist()]
    return [distinct[index] for index in encoded.indices.to_pylist()]
