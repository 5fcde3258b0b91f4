"""PyIceberg's snapshot producers as we use them, and the files that an attempt leaves behind."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from pyiceberg.table import Transaction
from pyiceberg.table.snapshots import Operation
from pyiceberg.table.update.snapshot import _MergeAppendFiles, _OverwriteFiles

if TYPE_CHECKING:
    from pyiceberg.io import FileIO
    from pyiceberg.manifest import ManifestFile
    from pyiceberg.table import Table
    from pyiceberg.table.metadata import TableMetadata
    from pyiceberg.table.snapshots import Snapshot


class Unchanged(Transaction):
    """A transaction with nothing staged, whose metadata is the table's own.

    PyIceberg applies the (no) staged updates to a deep copy, thirteen times a commit: 215 ms of CPU
    at 400 snapshots, 38 without.
    """

    @property
    def table_metadata(self) -> TableMetadata:
        return self._table.metadata


class MergeAppend(_MergeAppendFiles):
    """An append that merges manifests, and removes its own manifest where it was merged at once.

    PyIceberg leaves that one: no snapshot ever names it, so only an orphan sweep would find it. At
    a commit a second that is 100 MB a day.
    """

    def _process_manifests(self, manifests: list[ManifestFile]) -> list[ManifestFile]:
        kept = super()._process_manifests(manifests)
        named = {manifest.manifest_path for manifest in kept}
        for path in self._written_manifests:
            if path not in named:
                _delete(self._io, path)
        return kept


def merge_append(table: Table, summary: dict[str, str]) -> MergeAppend:
    """A producer of an append; without files it makes an empty snapshot."""
    return MergeAppend(
        Operation.APPEND, Unchanged(table), table.io, snapshot_properties=dict(summary)
    )


def overwrite(table: Table, summary: dict[str, str]) -> _OverwriteFiles:
    """A producer that takes files out and puts files in."""
    return Unchanged(table).update_snapshot(snapshot_properties=dict(summary)).overwrite()


def remove_attempt(table: Table, snapshot: Snapshot) -> None:
    """Removes manifests and manifest list of a snapshot that can not be committed any more."""
    with suppress(OSError):
        for manifest in snapshot.manifests(table.io):
            if manifest.added_snapshot_id == snapshot.snapshot_id:
                _delete(table.io, manifest.manifest_path)
        _delete(table.io, snapshot.manifest_list)


def _delete(io: FileIO, location: str) -> None:
    """What can not be removed is left to the orphan sweep."""
    with suppress(OSError):
        io.delete(location)
