"""Tags for time travel and the expiry of snapshots, in one commit."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from pyiceberg.table.refs import MAIN_BRANCH, SnapshotRefType
from pyiceberg.table.snapshots import Operation
from pyiceberg.table.update import (
    AssertRefSnapshotId,
    RemoveSnapshotRefUpdate,
    RemoveSnapshotsUpdate,
    SetSnapshotRefUpdate,
)

from tidelake.settings import Care

if TYPE_CHECKING:
    from pyiceberg.table import Table
    from pyiceberg.table.metadata import TableMetadata
    from pyiceberg.table.snapshots import Snapshot
    from pyiceberg.table.update import TableUpdate, UpdatesAndRequirements

HOURLY, DAILY = "hourly-%Y-%m-%dT%H", "daily-%Y-%m-%d"

# A reader plans on the metadata it was given and opens files for as long as its query runs. Of a
# busy table the last hundred snapshots are gone in seconds.
READERS_MAY_TAKE = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Expiry:
    """Which tags are made and dropped, and which snapshots go."""

    new_tags: tuple[str, ...]
    old_tags: tuple[str, ...]
    snapshots: tuple[int, ...]

    def __bool__(self) -> bool:
        return bool(self.new_tags or self.old_tags or self.snapshots)


def due(metadata: TableMetadata, now: datetime, care: Care, lowest: int | None) -> Expiry:
    """What there is to do; `lowest` is the lowest watermark of all consumers (sequence number)."""
    if metadata.current_snapshot() is None:
        return Expiry((), (), ())
    wanted = (now.strftime(HOURLY), now.strftime(DAILY))
    new = tuple(tag for tag in wanted if tag not in metadata.refs)
    old = tuple(tag for tag in metadata.refs if _is_over(tag, now, care))
    kept = {ref.snapshot_id for name, ref in metadata.refs.items() if name not in old}
    gone = _expired(metadata.snapshots, now, care, lowest)
    return Expiry(new, old, tuple(s.snapshot_id for s in gone if s.snapshot_id not in kept))


def _is_over(tag: str, now: datetime, care: Care) -> bool:
    """Whether one of our tags is older than its kind stays. A tag that a user made never is."""
    for form, stays in (
        (HOURLY, timedelta(hours=care.hourly_tags_h)),
        (DAILY, timedelta(days=care.daily_tags_days)),
    ):
        try:
            made = datetime.strptime(tag, form).replace(tzinfo=UTC)
        except ValueError:
            continue
        return now - made > stays
    return False


def _expired(
    snapshots: Iterable[Snapshot], now: datetime, care: Care, lowest: int | None
) -> list[Snapshot]:
    in_order = sorted(snapshots, key=lambda snapshot: snapshot.sequence_number or 0)
    oldest_ms = (now - READERS_MAY_TAKE).timestamp() * 1000
    return [
        snapshot
        for snapshot in in_order[: -care.keep_snapshots]
        if snapshot.timestamp_ms < oldest_ms and not _still_tells(snapshot, lowest)
    ]


def _still_tells(snapshot: Snapshot, lowest: int | None) -> bool:
    """A `replace` snapshot tells consumers which files to pass over, until all have passed it."""
    if lowest is None or snapshot.summary is None:
        return False
    return (
        snapshot.summary.operation == Operation.REPLACE and (snapshot.sequence_number or 0) > lowest
    )


@dataclass(frozen=True, slots=True)
class Expire:
    """The commit of an expiry. It is decided anew at each try, so it never drops what is fresh."""

    now: datetime
    care: Care
    lowest: int | None

    @property
    def what(self) -> str:
        return "set tags and expire snapshots"

    def done(self, table: Table) -> bool:
        return not due(table.metadata, self.now, self.care, self.lowest)

    def check(self, table: Table) -> None:
        """Nothing to start from: what is due follows from the table as it is."""

    def build(self, table: Table) -> UpdatesAndRequirements:
        metadata = table.metadata
        expiry = due(metadata, self.now, self.care, self.lowest)
        head = metadata.current_snapshot_id
        # Iceberg's models take their fields by alias, which is no Python name.
        updates: list[TableUpdate] = [
            SetSnapshotRefUpdate.model_validate(
                {"ref-name": tag, "snapshot-id": head, "type": SnapshotRefType.TAG}
            )
            for tag in expiry.new_tags
        ]
        for tag in expiry.old_tags:
            updates.append(RemoveSnapshotRefUpdate.model_validate({"ref-name": tag}))
        if expiry.snapshots:
            updates.append(RemoveSnapshotsUpdate.model_validate({"snapshot-ids": expiry.snapshots}))
        # Every tag is made together with a snapshot, so that the head tells of tags not seen here.
        same_head = AssertRefSnapshotId.model_validate({"ref": MAIN_BRANCH, "snapshot-id": head})
        return tuple(updates), (same_head,)
