"""One file of the lake into raw, in one transaction: claim, COPY, count, watermark."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Protocol, TypeAlias

import numpy as np
import psycopg
import pyarrow as pa
from numpy.typing import NDArray

from tidelake import crash
from tidelake.warehouse.raw import ledger
from tidelake.warehouse.raw.copying import as_loaded, copy_into
from tidelake.warehouse.raw.records import Records
from tidelake.warehouse.raw.refused import REFUSALS, Target, with_care
from tidelake.warehouse.raw.tables import ensure_partition
from tidelake.warehouse.session import Connection
from tidelake.warehouse.watermarks import Watermarks

#: Puts batches into raw; gives the rows that were taken and those that were set aside.
Copy: TypeAlias = Callable[[Target, Iterator[pa.RecordBatch]], tuple[int, int]]

#: For each row of a batch, whether it is wanted.
Mask: TypeAlias = Callable[[pa.RecordBatch], NDArray[np.bool_]]


class LakeFile(Protocol):
    """A data file of a table of the lake; its bytes never change."""

    @property
    def location(self) -> str: ...

    @property
    def sequence_number(self) -> int:
        """Number of the commit that brought its rows; a later commit has a higher one."""

    @property
    def rows(self) -> int: ...


class Reader(Protocol):
    """Reads files of one table of the lake, from wherever they lie."""

    def batches(
        self, location: str, columns: tuple[str, ...] | None = None
    ) -> Iterator[pa.RecordBatch]:
        """All rows in their order, as batches of bounded size with the same columns.

        Columns are those of the contract, or of `columns`, that the file has. Raises
        UnavailableError, naming the file, where it is missing or damaged.
        """


@dataclass(frozen=True, slots=True)
class Loaded:
    """What one load brought."""

    load_id: int
    rows: int
    set_aside: int


@dataclass(frozen=True, slots=True)
class Loading:
    """How files of one table are loaded; `epoch` is the ledger's when it was decided which."""

    connection: Connection
    reader: Reader
    table: str
    epoch: int
    day: date

    def load(
        self, file: LakeFile, *, watermark: int | None = None, durable: bool = True
    ) -> Loaded | None:
        """Loads a file whole, or not at all; None where it is loaded already.

        `watermark` is moved to that sequence number in the same transaction. Without `durable` a
        power loss may undo the load together with all that came after it. Raises FencedError where
        a reconcile has begun since, and what the reader raises.
        """
        return self._load(_Part(file, file.location), watermark, durable)

    def load_part(self, file: LakeFile, sequence_number: int, wanted: Mask) -> Loaded | None:
        """Loads the rows of a file that `wanted` names, for the reconcile with that state."""
        path = ledger.free_name(self.connection, self.table, file.location, sequence_number)
        return self._load(_Part(file, path, wanted), None, durable=True)

    def _load(self, part: _Part, watermark: int | None, durable: bool) -> Loaded | None:
        try:
            return self._in_transaction(part, watermark, durable, _at_once)
        except REFUSALS:
            return self._in_transaction(part, watermark, durable, with_care)

    def _in_transaction(
        self, part: _Part, watermark: int | None, durable: bool, copy: Copy
    ) -> Loaded | None:
        loaded = None
        connection, sequence = self.connection, part.file.sequence_number
        with connection.transaction():
            if not durable:
                connection.execute("set local synchronous_commit = off")
            claimed = ledger.claim(
                connection, self.table, part.path, sequence, self.day, self.epoch
            )
            if claimed is None:
                raise psycopg.Rollback
            crash.point("load.after_claim")
            loaded = self._rows(claimed, part, copy)
            if watermark is not None:
                Watermarks(connection).register(ledger.CONSUMER, self.table, watermark)
            crash.point("load.before_commit")
        if loaded is not None:
            crash.point("load.after_commit")
        return loaded

    def _rows(self, load_id: int, part: _Part, copy: Copy) -> Loaded:
        partition = ensure_partition(self.connection, self.table, self.day)
        records = Records()
        batches = self._numbered(part, load_id, records)
        target = Target(self.connection, self.table, partition, load_id, part.path)
        rows, refused = copy(target, batches)
        crash.point("load.after_copy")
        ledger.record(self.connection, load_id, rows, refused, records.runs())
        return Loaded(load_id, rows, refused)

    def _numbered(self, part: _Part, load_id: int, records: Records) -> Iterator[pa.RecordBatch]:
        first_row = 1
        for batch in self.reader.batches(part.file.location):
            numbered = as_loaded(batch, load_id, first_row, self.day)
            first_row += batch.num_rows
            if part.wanted is not None:
                numbered = numbered.filter(pa.array(part.wanted(batch)))
            records.add(numbered.column("source_position"))
            yield numbered


@dataclass(frozen=True, slots=True)
class _Part:
    """A file, whole or those rows of it that are wanted, and its name in the ledger."""

    file: LakeFile
    path: str
    wanted: Mask | None = None


def _at_once(target: Target, batches: Iterator[pa.RecordBatch]) -> tuple[int, int]:
    return copy_into(target.connection, target.partition, batches), 0
