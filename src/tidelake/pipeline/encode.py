"""What a worker does with a take: read, process, write. Runs in a process of its own.

The seam that decoders share is here: a take in, stored Parquet files with their statistics out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from tidelake.batch import Encoded, Processed, RawBatch, Take
from tidelake.event.contract import REJECTED, Contract
from tidelake.event.verdicts import Reason
from tidelake.lake.parquet import encode as encode_parquet
from tidelake.lake.writer import StoredRange, Writer
from tidelake.process import Rules, process, refuse

# The Python decoder holds some 10 kB of objects a record while it works: this bounds them.
ROWS_AT_ONCE = 2048


@dataclass(frozen=True)
class Encoder:
    """Everything that a worker needs, sent to it once."""

    contract: Contract
    rules: Rules
    writer: Writer
    # Stream and number of records on which workers fail: they are rejected unread.
    refused: frozenset[tuple[str, int]] = frozenset()

    def __call__(self, take: Take, judged: frozenset[int] = frozenset()) -> StoredRange:
        """Stores the files of a take, without the records that were judged in an earlier run."""
        return self.writer.store(self.encode(take.read().without(judged)))

    def encode(self, batch: RawBatch) -> Encoded:
        """Finished Parquet files of both tables, one a day, in memory."""
        processed = self._process(batch)
        reasons = _reasons(processed)
        return Encoded(
            stream=batch.stream,
            first=batch.first,
            last=batch.last,
            files=(
                *encode_parquet(processed.rejected, REJECTED),
                *encode_parquet(processed.events, self.contract),
            ),
            events=processed.events.num_rows,
            rejected={r: n for r, n in reasons.items() if r != Reason.DAMAGED_FRAME},
            damaged=reasons.get(Reason.DAMAGED_FRAME, 0),
            raw_bytes=batch.raw_bytes,
            arrivals=_arrivals(batch),
        )

    def _process(self, batch: RawBatch) -> Processed:
        if batch.first == batch.last and (batch.stream, batch.first) in self.refused:
            return refuse(batch, self.contract, "every worker that read this record failed")
        parts = [process(part, self.contract, self.rules) for part in batch.slices(ROWS_AT_ONCE)]
        return Processed(
            pa.concat_tables([part.events for part in parts]),
            pa.concat_tables([part.rejected for part in parts]),
        )


def _reasons(processed: Processed) -> Mapping[str, int]:
    """Records by reason."""
    counted: Counter[str] = Counter()
    rejected = processed.rejected
    for reason, records in zip(
        rejected["reason"].to_pylist(), rejected["records"].to_pylist(), strict=True
    ):
        counted[reason] += records
    return counted


def _arrivals(batch: RawBatch) -> Mapping[int, int]:
    """How many records arrived in which millisecond: what latency is reckoned from."""
    at = batch.records["received_at"].cast(pa.int64())
    counted = pc.value_counts(pc.divide(at, 1000))
    return dict(zip(counted.field(0).to_pylist(), counted.field(1).to_pylist(), strict=True))
