"""The swap of a rewrite: outputs take the place of inputs, if all of those are still live."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyiceberg.table.snapshots import Operation, Summary
from pyiceberg.table.update import AddSnapshotUpdate, SetPropertiesUpdate

from tidelake.errors import FencedError
from tidelake.lake.data_file import data_file
from tidelake.lake.entries import LiveFile, Manifests
from tidelake.lake.positions import added
from tidelake.lake.producers import overwrite
from tidelake.lake.writer import StoredFile

if TYPE_CHECKING:
    from pyiceberg.table import Table
    from pyiceberg.table.update import TableUpdate, UpdatesAndRequirements

REWRITTEN_BYTES = "rewritten-bytes"  # counter: bytes that care has written


@dataclass(frozen=True, slots=True)
class Replace:
    """Inputs of a rewrite go, outputs come: the same rows, so a `replace` snapshot.

    The outputs take the sequence number of their snapshot. That is right as long as no delete file
    is in the table (a delete applies to older files only), and care leaves such tables alone.
    """

    inputs: tuple[LiveFile, ...]
    outputs: tuple[StoredFile, ...]
    manifests: Manifests

    @property
    def what(self) -> str:
        return f"replace {len(self.inputs)} files by {len(self.outputs)}"

    def done(self, table: Table) -> bool:
        live = self._live(table)
        return all(file.location in live for file in self.outputs)

    def check(self, table: Table) -> None:
        live = self._live(table)
        gone = [file.location for file in self.inputs if file.location not in live]
        if gone:
            raise FencedError(
                f"{'.'.join(table.name())}: {len(gone)} files were replaced by another: {gone[0]}",
                hint="Nothing is lost: the next look at the table plans anew.",
            )

    def build(self, table: Table) -> UpdatesAndRequirements:
        summary = {"tidelake.care": "compaction"}
        producer = overwrite(table, summary)
        for file in self.inputs:
            producer.delete_data_file(file.entry)
        for stored in self.outputs:
            producer.append_data_file(data_file(stored, table))
        updates, requirements = producer._commit()
        written = {REWRITTEN_BYTES: sum(file.size for file in self.outputs)}
        counters = SetPropertiesUpdate(updates=added(table.properties, written))
        return (*map(_as_replace, updates), counters), requirements

    def _live(self, table: Table) -> set[str]:
        snapshot = table.metadata.current_snapshot()
        return {file.location for file in self.manifests.live(snapshot)} if snapshot else set()


def _as_replace(update: TableUpdate) -> TableUpdate:
    """PyIceberg builds no `replace`, only an `overwrite`, which tells readers that rows changed."""
    if not isinstance(update, AddSnapshotUpdate) or update.snapshot.summary is None:
        return update
    summary = Summary(Operation.REPLACE, **update.snapshot.summary.additional_properties)
    return AddSnapshotUpdate(snapshot=update.snapshot.model_copy(update={"summary": summary}))
