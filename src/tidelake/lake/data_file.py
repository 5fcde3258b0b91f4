"""A stored file as Iceberg's `DataFile`, by the statistics that came with it: no footer is read."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from pyiceberg.manifest import DataFile, DataFileContent, FileFormat
from pyiceberg.typedef import Record

from tidelake.lake.writer import StoredFile

if TYPE_CHECKING:
    from pyiceberg.table import Table

EPOCH = date(1970, 1, 1)


def data_file(file: StoredFile, table: Table) -> DataFile:
    known = file.statistics
    entry = DataFile.from_args(
        content=DataFileContent.DATA,
        file_path=file.location,
        file_format=FileFormat.PARQUET,
        partition=Record((file.day - EPOCH).days),
        record_count=file.rows,
        file_size_in_bytes=file.size,
        column_sizes=known.column_sizes,
        value_counts=known.value_counts,
        null_value_counts=known.null_counts,
        nan_value_counts={},  # numbers are finite, or the field is null
        lower_bounds=known.lower_bounds,
        upper_bounds=known.upper_bounds,
        key_metadata=None,
        split_offsets=list(known.split_offsets) or None,
        equality_ids=None,
        sort_order_id=file.sort_order,
    )
    entry.spec_id = table.metadata.default_spec_id
    return entry
