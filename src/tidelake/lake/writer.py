"""Stores finished files in the warehouse, durably, and describes them for a committer.

A writer never commits, keeps no state, and may be one of many: threads, processes, Lambdas. Each
attempt takes new names, because a data file written again under its old name made Spark return
27,000 of 50,000 rows without an error.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from tidelake import crash
from tidelake.batch import Encoded, EncodedFile, FileStatistics, Range
from tidelake.event.contract import EVENTS, REJECTED
from tidelake.lake.trouble import translated

if TYPE_CHECKING:
    from pyiceberg.io import FileIO
    from pyiceberg.table import Table

FRESH = "e"  # first letter of a file with rows that no file had before
REWRITTEN = "c"  # first letter of care's own files: a loader that has their rows passes them over


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A data file that no table knows yet; can be pickled and sent to a committer."""

    table: str
    location: str
    day: date
    rows: int
    size: int  # bytes
    statistics: FileStatistics
    sort_order: int = 0  # id in the table's metadata; 0 is unsorted


class StoredRange(Range[StoredFile]):
    """A range as stored files: what a commit takes."""

    __slots__ = ()


class Writer:
    """Stores files of the two tables. Can be pickled; opens its `FileIO` where it is used."""

    def __init__(
        self,
        locations: Mapping[str, str],
        io_properties: Mapping[str, str],
        new_id: Callable[[], UUID] = uuid4,
    ) -> None:
        self._locations = dict(locations)
        self._properties = dict(io_properties)
        self._new_id = new_id
        self._io: FileIO | None = None

    @classmethod
    def for_tables(cls, *tables: Table, new_id: Callable[[], UUID] = uuid4) -> Writer:
        """A writer for tables of one catalog."""
        locations = {table.name()[-1]: table.metadata.location for table in tables}
        return cls(locations, tables[0].catalog.properties, new_id)

    def store(self, encoded: Encoded) -> StoredRange:
        """Stores all files of a range; raises `UnavailableError` or `OverloadedError` (disk full).

        What a failed call has stored is an orphan: call again, under new names.
        """
        return StoredRange(
            stream=encoded.stream,
            first=encoded.first,
            last=encoded.last,
            files=tuple(self.store_file(file) for file in encoded.files),
            events=encoded.events,
            rejected=encoded.rejected,
            damaged=encoded.damaged,
            raw_bytes=encoded.raw_bytes,
            arrivals=encoded.arrivals,
        )

    def store_file(self, file: EncodedFile, start: str = FRESH) -> StoredFile:
        location = self.new_location(file.table, file.day, start)
        with translated(f"store {location}"), self._opened().new_output(location).create() as out:
            out.write(file.data)
            crash.point("encode.after_parquet")
        crash.point("encode.after_store")
        return StoredFile(
            table=file.table,
            location=location,
            day=file.day,
            rows=file.rows,
            size=file.data.size,
            statistics=file.statistics,
        )

    def new_location(self, table: str, day: date, start: str = FRESH) -> str:
        """A name never used before, in the folder of its day."""
        column = {c.table: c.partition_by for c in (EVENTS, REJECTED)}[table]
        folder = f"{self._locations[table]}/data/{column}_day={day.isoformat()}"
        return f"{folder}/{start}-{self._new_id()}.parquet"

    def _opened(self) -> FileIO:
        from pyiceberg.io import load_file_io

        if self._io is None:
            self._io = load_file_io(self._properties, next(iter(self._locations.values())))
        return self._io

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "_io": None}
