"""What one request appends, and how a group of requests lies in a frame.

A frame holds an Arrow record batch with a row a *request*: what the request knew is stored once,
its records are a list. Read back, each record is a row of `RAW_SCHEMA` with an envelope of its own:
a few kilobytes may become gigabytes, so a frame is expanded record by record, never whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, chain
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tidelake.batch import RAW_SCHEMA
from tidelake.errors import DamagedError

STORED_SCHEMA = pa.schema(
    [
        pa.field("bodies", pa.list_(pa.field("item", pa.binary(), nullable=False)), nullable=False),
        *(RAW_SCHEMA.field(i) for i in range(1, len(RAW_SCHEMA))),
    ]
)

# What a record takes in `RAW_SCHEMA` beside its body and envelope: a time, short words, offsets.
RECORD_BYTES: Final = 40


@dataclass(frozen=True, slots=True)
class Records:
    """The records of one request, in order; `received_at` in microseconds since 1970 (UTC)."""

    bodies: Sequence[bytes]
    envelope: bytes
    received_at: int
    source: str = "api"
    format: str = "native"

    @property
    def size(self) -> int:
        """About the bytes that they take in a frame."""
        return sum(map(len, self.bodies)) + 4 * len(self.bodies) + len(self.envelope) + 64

    @property
    def expanded(self) -> int:
        """About the bytes that they take once each has the envelope."""
        each = len(self.envelope) + RECORD_BYTES
        return sum(map(len, self.bodies)) + each * len(self.bodies)


def pack(group: Sequence[Records]) -> pa.Buffer:
    """The requests as one Arrow IPC message."""
    counts = [len(records.bodies) for records in group]
    bodies = pa.array(list(chain.from_iterable(r.bodies for r in group)), pa.binary())
    offsets = pa.array(list(accumulate(counts, initial=0)), pa.int32())
    columns = [
        pa.ListArray.from_arrays(offsets, bodies, type=STORED_SCHEMA.field("bodies").type),
        pa.array([records.envelope for records in group], pa.binary()),
        pa.array([records.received_at for records in group], STORED_SCHEMA.field(2).type),
        pa.array([records.source for records in group], pa.string()),
        pa.array([records.format for records in group], pa.string()),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=STORED_SCHEMA).serialize()


@dataclass(frozen=True, slots=True)
class Packed:
    """A packed group that was read: its records are expanded only where they are asked for."""

    stored: pa.RecordBatch

    @property
    def rows(self) -> int:
        return len(self._bodies)

    @property
    def _bodies(self) -> pa.BinaryArray:
        return self.stored.column(0).flatten()

    @property
    def _requests(self) -> pa.Int64Array:
        """Of each record, the request it came with."""
        return pc.list_parent_indices(self.stored.column(0))

    def records(self, start: int, rows: int) -> pa.RecordBatch:
        """`rows` records from index `start` on (`RAW_SCHEMA`), each with its own envelope."""
        request = self._requests.slice(start, rows)
        columns = [self._bodies.slice(start, rows)]
        columns += [self.stored.column(i).take(request) for i in range(1, len(STORED_SCHEMA))]
        return pa.RecordBatch.from_arrays(columns, schema=RAW_SCHEMA)

    def fitting(self, start: int, rows: int, max_bytes: int) -> tuple[int, int]:
        """How many of `rows` records from index `start` on fit expanded, and what those weigh.

        The first one counts as fitting where `max_bytes` is less than it.
        """
        bodies = pc.binary_length(self._bodies.slice(start, rows)).to_numpy()
        envelopes = pc.binary_length(self.stored.column("envelope")).to_numpy()
        request = self._requests.slice(start, rows).to_numpy()
        weights = np.cumsum(bodies + envelopes[request] + RECORD_BYTES, dtype=np.int64)
        fit = max(int(np.searchsorted(weights, max_bytes, side="right")), 1)
        return fit, int(weights[fit - 1])


def unpack(message: pa.Buffer, rows: int) -> Packed:
    """The packed group of `rows` records; `DamagedError` if the message is none."""
    try:
        stored = pa.ipc.read_record_batch(message, STORED_SCHEMA)
        stored.validate()
    except (pa.ArrowException, OSError) as exc:
        raise DamagedError(f"the frame holds no Arrow record batch: {exc}") from exc
    packed = Packed(stored)
    if packed.rows != rows:
        raise DamagedError(f"the frame holds {packed.rows} records, its header says {rows}")
    return packed
