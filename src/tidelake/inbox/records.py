"""What one request appends, and how a group of requests lies in a frame.

A frame holds an Arrow record batch with a row a *request*: what the request knew is stored once,
its records are a list. Read back, each record is a row of `RAW_SCHEMA`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, chain

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


def unpack(message: pa.Buffer, rows: int) -> pa.RecordBatch:
    """The `rows` records of a packed group (`RAW_SCHEMA`); `DamagedError` if it is none."""
    try:
        stored = pa.ipc.read_record_batch(message, STORED_SCHEMA)
        bodies = stored.column(0)
        values = bodies.flatten()
        columns = [values]
        request = pc.list_parent_indices(bodies)
        columns += [stored.column(i).take(request) for i in range(1, len(STORED_SCHEMA))]
        records = pa.RecordBatch.from_arrays(columns, schema=RAW_SCHEMA)
    except (pa.ArrowException, OSError) as exc:
        raise DamagedError(f"the frame holds no Arrow record batch: {exc}") from exc
    if records.num_rows != rows:
        raise DamagedError(f"the frame holds {records.num_rows} records, its header says {rows}")
    return records
