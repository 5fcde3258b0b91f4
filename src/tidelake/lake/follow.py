"""Following a table: what has come since a consumer looked last, and the rows of a file."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from tidelake.errors import TidelakeError, UnavailableError
from tidelake.event.contract import Contract
from tidelake.lake import pointer
from tidelake.lake.contract import contract_of
from tidelake.lake.entries import LiveFile, Manifests
from tidelake.lake.parquet import layout
from tidelake.lake.tables import load_table, table_location
from tidelake.lake.travel import RECONCILE
from tidelake.lake.trouble import FAULTS, translated

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog
    from pyiceberg.io import FileIO
    from pyiceberg.manifest import ManifestFile
    from pyiceberg.table import Table

# Loading a table's metadata costs 20 ms, its version hint 0.1. Commits of other engines move no
# hint, so now and then the table is loaded whatever the hint says.
LOOK_AT_LEAST_EVERY_S = 10.0

# Rows that are decoded at a time: so many as make about this many bytes, whatever a row weighs.
BATCH_BYTES = 16 * 1024 * 1024
BATCH_ROWS = 8192


@dataclass(frozen=True, slots=True)
class News:
    """One state of a table, seen by a consumer."""

    contract: Contract
    sequence_number: int  # of the state: every file of it is at or below
    rows: int  # of the whole state
    fresh: tuple[LiveFile, ...]  # beyond the consumer's watermark, with rows that no file had
    reconcile_from: int  # a consumer below it must compare all it has; 0 for none
    manifests: Manifests
    table: Table

    def live(self) -> list[LiveFile]:
        """Every file of the state, in order of sequence and location."""
        snapshot = self.table.metadata.current_snapshot()
        if snapshot is None:
            return []
        with translated(f"read the manifests of {self.contract.table}"):
            return sorted(self.manifests.live(snapshot), key=_arrival)

    @property
    def reader(self) -> FileReader:
        return FileReader(self.table.io, self.contract)


@dataclass(slots=True)
class Follower:
    """Looks at one table again and again; where nothing moved a look costs next to nothing."""

    catalog: Catalog
    table_name: str
    clock: Callable[[], float] = time.monotonic
    _hint: str | None = None
    _looked_at: float | None = None

    def moved(self) -> bool:
        """Whether there may be another state than at the last `look`."""
        if self._looked_at is None or self.clock() - self._looked_at >= LOOK_AT_LEAST_EVERY_S:
            return True
        return self._read_hint() != self._hint

    def look(self, watermark: int) -> News:
        """The table as it is; raises `UnavailableError` where that can not be read."""
        hint, looked_at = self._read_hint(), self.clock()
        table = load_table(self.catalog, self.table_name)
        manifests = Manifests(table.io, statistics=False)
        with translated(f"read the manifests of {self.table_name}"):
            news = _news(table, manifests, watermark)
        self._hint, self._looked_at = hint, looked_at
        return news

    def forget(self) -> None:
        """The next `moved` is true: what the last look found was not all taken."""
        self._looked_at = None

    def _read_hint(self) -> str | None:
        location = table_location(self.catalog, self.table_name)
        with translated(f"read the version hint of {self.table_name}"):
            return pointer.read(self.catalog._load_file_io(location=location), location)


def _news(table: Table, manifests: Manifests, watermark: int) -> News:
    snapshot = table.metadata.current_snapshot()
    listed = manifests.of(snapshot) if snapshot is not None else []
    replaced = {
        known.sequence_number
        for known in table.metadata.snapshots
        if known.summary is not None and known.summary.operation.value == "replace"
    }
    # A manifest is as new as its newest file: those of before hold nothing to take.
    newer = (manifest for manifest in listed if manifest.sequence_number > watermark)
    files = [file for manifest in newer for file in manifests.files(manifest)]
    fresh = (
        file
        for file in files
        if file.sequence_number > watermark
        and not file.rewritten
        and file.sequence_number not in replaced
    )
    return News(
        contract=contract_of(table),
        sequence_number=(snapshot.sequence_number or 0) if snapshot is not None else 0,
        rows=sum(map(_rows, listed)),
        fresh=tuple(sorted(fresh, key=_arrival)),
        reconcile_from=int(table.properties.get(RECONCILE, "0")),
        manifests=manifests,
        table=table,
    )


def _rows(manifest: ManifestFile) -> int:
    """Rows of the data files that a manifest lists as live."""
    from pyiceberg.manifest import ManifestContent

    if manifest.content != ManifestContent.DATA:
        return 0
    return (manifest.added_rows_count or 0) + (manifest.existing_rows_count or 0)


def _arrival(file: LiveFile) -> tuple[int, str]:
    return file.sequence_number, file.location


@dataclass(frozen=True, slots=True)
class FileReader:
    """Reads data files of one table as rows of its contract."""

    io: FileIO
    contract: Contract

    def batches(
        self, location: str, columns: tuple[str, ...] | None = None
    ) -> Iterator[pa.RecordBatch]:
        """All rows in order, with those columns of the contract that the file has.

        A batch holds as many rows as make about 16 MB. Raises `UnavailableError`, naming the file,
        where it is missing or damaged.
        """
        try:
            with self.io.new_input(location).open() as stream, pq.ParquetFile(stream) as parquet:
                yield from self._batches(parquet, columns or self.contract.names)
        except FileNotFoundError as exc:
            raise UnavailableError(
                f"the file {location} of {self.contract.table} is missing",
                hint="Put it back from a copy of the warehouse: it is taken once it is there. "
                "`tidelake lake rollback` gives up what came since an earlier state.",
            ) from exc
        except (TidelakeError, *FAULTS, GeneratorExit):
            raise
        except (pa.ArrowException, OSError, ValueError) as exc:
            raise UnavailableError(
                f"the file {location} of {self.contract.table} can not be read: "
                f"{type(exc).__name__}: {exc}",
                hint="If it is damaged, put it back from a copy of the warehouse.",
            ) from exc

    def _batches(
        self, parquet: pq.ParquetFile, wanted: tuple[str, ...]
    ) -> Iterator[pa.RecordBatch]:
        present = set(parquet.schema_arrow.names)
        schema = pa.schema(
            [f for f in layout(self.contract).schema if f.name in present.intersection(wanted)]
        )
        for group in range(parquet.num_row_groups):
            rows = _rows_at_a_time(parquet.metadata.row_group(group))
            # One thread: several decode whole columns ahead, and a second core is for others.
            for batch in parquet.iter_batches(
                rows, row_groups=[group], columns=schema.names, use_threads=False
            ):
                columns = [batch.column(field.name).cast(field.type) for field in schema]
                yield pa.RecordBatch.from_arrays(columns, names=schema.names)


def _rows_at_a_time(group: pq.RowGroupMetaData) -> int:
    a_row = group.total_byte_size / max(group.num_rows, 1)
    return max(1, min(BATCH_ROWS, int(BATCH_BYTES / max(a_row, 1))))
