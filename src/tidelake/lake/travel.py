"""Time travel: snapshots and tags, the table as of a time, and the way back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pyiceberg.table.refs import SnapshotRefType
from pyiceberg.table.update import SetPropertiesUpdate, SetSnapshotRefUpdate

from tidelake.errors import UsageError
from tidelake.event.contract import EVENTS
from tidelake.lake import pointer
from tidelake.lake.positions import EVENTS as EVENT_COUNT
from tidelake.lake.positions import ROLLED_BACK, added
from tidelake.lake.producers import merge_append
from tidelake.lake.swap import Swapper

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog
    from pyiceberg.table import Table
    from pyiceberg.table.snapshots import Snapshot
    from pyiceberg.table.update import UpdatesAndRequirements

# Property: sequence number of the last rollback. A consumer whose watermark is below it must
# compare all that it has with the table, because rows went that it took.
RECONCILE = "tidelake.reconcile-from"
ROLLBACK_ID = "tidelake.rollback-id"


@dataclass(frozen=True, slots=True)
class State:
    """A state of a table that can be read: a snapshot, with the tags that keep it."""

    snapshot_id: int
    sequence_number: int
    at: datetime
    operation: str
    rows: int
    files: int
    tags: tuple[str, ...]
    current: bool


def states(table: Table) -> list[State]:
    """Every state that the table still has, oldest first."""
    metadata = table.metadata
    tags: dict[int, list[str]] = {}
    for name, ref in metadata.refs.items():
        if ref.snapshot_ref_type == SnapshotRefType.TAG:
            tags.setdefault(ref.snapshot_id, []).append(name)
    ordered = sorted(metadata.snapshots, key=lambda snapshot: snapshot.sequence_number or 0)
    return [
        _state(snapshot, tags.get(snapshot.snapshot_id, []), metadata.current_snapshot_id)
        for snapshot in ordered
    ]


def _state(snapshot: Snapshot, tags: list[str], current: int | None) -> State:
    summary = snapshot.summary
    assert summary is not None, "format v2 has a summary on every snapshot"
    return State(
        snapshot_id=snapshot.snapshot_id,
        sequence_number=snapshot.sequence_number or 0,
        at=datetime.fromtimestamp(snapshot.timestamp_ms / 1000, UTC),
        operation=summary.operation.value,
        rows=int(summary["total-records"] or 0),
        files=int(summary["total-data-files"] or 0),
        tags=tuple(sorted(tags)),
        current=snapshot.snapshot_id == current,
    )


def as_of(table: Table, at: datetime) -> State:
    """The newest state that is not younger than `at` (UTC); raises `UsageError` where none is left.

    Between the last hundred commits and the tags there are gaps: the state may be up to an hour
    older than asked for, its own time says so.
    """
    known = states(table)
    before = [state for state in known if state.at <= at]
    if not before:
        oldest = f"the oldest is of {known[0].at.isoformat()}" if known else "the table is empty"
        raise UsageError(
            f"{'.'.join(table.name())} has no state of {at.isoformat()}: {oldest}",
            hint="`tidelake lake snapshots` lists the states that are left.",
        )
    return before[-1]


def find(table: Table, name: str) -> State:
    """The state with this tag or snapshot id; raises `UsageError` where there is none."""
    for state in states(table):
        if name in state.tags or name == str(state.snapshot_id):
            return state
    raise UsageError(
        f"{'.'.join(table.name())} has no snapshot or tag {name!r}",
        hint="`tidelake lake snapshots` and `tidelake lake tags` list them.",
    )


@dataclass(frozen=True, slots=True)
class Tag:
    """Names a snapshot for ever. An empty snapshot comes with it, as with every change of ours:
    an expiry that was decided before it is then refused, and can not drop what was just tagged.
    """

    name: str
    snapshot_id: int

    @property
    def what(self) -> str:
        return f"tag snapshot {self.snapshot_id} as {self.name}"

    def done(self, table: Table) -> bool:
        known = table.metadata.refs.get(self.name)
        return known is not None and known.snapshot_id == self.snapshot_id

    def check(self, table: Table) -> None:
        if self.name in table.metadata.refs:
            raise UsageError(f"there is a tag {self.name!r} already", hint="Choose another name.")
        find(table, str(self.snapshot_id))

    def build(self, table: Table) -> UpdatesAndRequirements:
        updates, requirements = merge_append(table, {"tidelake.tag": self.name})._commit()
        tag = SetSnapshotRefUpdate.model_validate(
            {"ref-name": self.name, "snapshot-id": self.snapshot_id, "type": SnapshotRefType.TAG}
        )
        return (*updates, tag), requirements


def tag(catalog: Catalog, table: str, name: str, snapshot_id: int) -> None:
    """Names a snapshot, so that it stays; raises `UsageError` where the name is taken."""
    pointer.publish(Swapper(catalog, table).swap(Tag(name, snapshot_id)))


@dataclass(frozen=True, slots=True)
class Rollback:
    """Makes `events` what it was in an earlier state, by a new snapshot with that state's files.

    Not `set_current_snapshot` as it is: the main branch would point at a snapshot that it has
    pointed at before, and a committer that slept since then would pass its compare-and-swap.
    """

    target: int
    identity: str  # a new one for each rollback that a user asks for

    @property
    def what(self) -> str:
        return f"roll back to snapshot {self.target}"

    def done(self, table: Table) -> bool:
        return any(
            snapshot.summary is not None and snapshot.summary[ROLLBACK_ID] == self.identity
            for snapshot in table.metadata.snapshots
        )

    def check(self, table: Table) -> None:
        find(table, str(self.target))

    def build(self, table: Table) -> UpdatesAndRequirements:
        summary = {ROLLBACK_ID: self.identity, "tidelake.rollback-to": str(self.target)}
        producer = merge_append(table, summary)
        producer._parent_snapshot_id = self.target
        updates, requirements = producer._commit()
        gone = rows_removed(table, self.target)
        properties = added(table.properties, {EVENT_COUNT: -gone, ROLLED_BACK: gone})
        properties[RECONCILE] = str(table.metadata.next_sequence_number())
        return (*updates, SetPropertiesUpdate(updates=properties)), requirements


def rows_removed(table: Table, target: int) -> int:
    """Rows that a rollback to the snapshot removes, as the table is now."""
    now = sum(state.rows for state in states(table) if state.current)
    return now - find(table, str(target)).rows


def rollback(catalog: Catalog, target: int, identity: str) -> Table:
    """Rolls `events` back; the caller has asked the user. Positions stay: nothing is taken again.

    The rows removed go into the books (`rolled-back`), and `tidelake.reconcile-from` tells every
    consumer to compare all it has. Gives the table as it then is.
    """
    table = Swapper(catalog, EVENTS.table).swap(Rollback(target, identity))
    pointer.publish(table)
    return table
