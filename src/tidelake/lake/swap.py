"""The loop that makes one change of a table exactly once: done? valid? build, compare and swap.

Never PyIceberg's own retry: after it lost a race it appends again on top of the winner, and after
an answer that got lost it can delete the manifest list of a commit that landed. Here any failure
leads back to the table itself, which says what became of the attempt.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from pyiceberg.table.update import AddSnapshotUpdate, AssertTableUUID

from tidelake.errors import FencedError, SetupError, TidelakeError, UnavailableError, UsageError
from tidelake.lake.producers import remove_attempt
from tidelake.lake.tables import load_table

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog
    from pyiceberg.table import Table
    from pyiceberg.table.metadata import TableMetadata
    from pyiceberg.table.snapshots import Snapshot
    from pyiceberg.table.update import UpdatesAndRequirements

TRIES = 10
FIRST_PAUSE_S = 0.01  # a race with care is over in milliseconds, an outage is waited out
LONGEST_PAUSE_S = 5.0


class Change(Protocol):
    """Something to be made true of a table, once.

    `done` and `check` are asked of the table as it was loaded, as often as it takes, so they must
    tell an attempt that landed from one that did not by the table alone.
    """

    @property
    def what(self) -> str:
        """Completes "could not …"."""

    def done(self, table: Table) -> bool:
        """Whether the table shows the change already, by us or by whoever did the same work."""

    def check(self, table: Table) -> None:
        """Raises `FencedError` where the table is not what the change started from."""

    def build(self, table: Table) -> UpdatesAndRequirements:
        """Updates and requirements that make the change if the table is still as it was loaded."""


def nothing(_: Table) -> None:
    """Between deciding and committing nothing happens; tests put a pause here."""


@dataclass(slots=True)
class Swapper:
    """Commits changes to one table, and holds the table as its last commit left it.

    A held table saves a load a commit and is safe: whatever moved in between moved the main branch
    with a new snapshot, and then the swap is refused and the table loaded.
    """

    catalog: Catalog
    table_name: str
    sleep: Callable[[float], None] = time.sleep
    before_swap: Callable[[Table], None] = nothing
    tries: int = TRIES
    _held: Table | None = field(default=None)
    _tried: list[tuple[int | None, Snapshot]] = field(default_factory=list)  # head, snapshot

    def swap(self, change: Change) -> Table:
        """Makes the change and gives the table as it then is; its version hint is not moved yet.

        Raises `FencedError` where the table is not what the change started from, and
        `UnavailableError` where it could not be said or done within the tries.
        """
        last: Exception | None = None
        for attempt in range(self.tries):
            if attempt:
                self.sleep(_pause(attempt))
            loaded = self._held is None
            try:
                return self._attempt(change)
            except (SetupError, UsageError):
                raise
            except FencedError as exc:
                if loaded:
                    raise
                last = exc  # of the table as we held it: look at it as it is
            except Exception as exc:
                last = exc
        raise UnavailableError(
            f"could not {change.what} in {self.tries} tries; the last: {_told(last)}",
            hint="Check that the catalog and the warehouse answer.",
        ) from last

    def _attempt(self, change: Change) -> Table:
        table, self._held = self._held, None  # only what went well leaves a table to hold
        if table is None:
            table = load_table(self.catalog, self.table_name)
        if not change.done(table):
            self._remove_attempts(table)
            change.check(table)
            self._commit(table, change)
        self._held = table
        return table

    def _commit(self, table: Table, change: Change) -> None:
        updates, requirements = change.build(table)
        head = table.metadata.current_snapshot_id
        self._tried += [(head, u.snapshot) for u in updates if isinstance(u, AddSnapshotUpdate)]
        self.before_swap(table)
        same_table = AssertTableUUID(uuid=table.metadata.table_uuid)
        response = self.catalog.commit_table(table, (*requirements, same_table), updates)
        before, table.metadata = table.metadata, response.metadata
        table.metadata_location = response.metadata_location
        self._tried.clear()
        _drop_old_metadata(table, before)

    def _remove_attempts(self, table: Table) -> None:
        """Removes what earlier tries wrote, where it is certain that they did not and can not land.

        An answer proves nothing. But every head is a new snapshot: once the main branch has left
        the one that a try asserts, it can not come back to it. A try on the present head is kept.
        """
        head = table.metadata.current_snapshot_id
        lost = [one for of, one in self._tried if of != head]
        self._tried = [(of, one) for of, one in self._tried if of == head]
        for snapshot in lost:
            if table.metadata.snapshot_by_id(snapshot.snapshot_id) is None:
                remove_attempt(table, snapshot)


def _drop_old_metadata(table: Table, before: TableMetadata) -> None:
    """Removes the metadata files that fell out of the log.

    As `Table._do_commit` does; but a table that was held may know files that care has removed, and
    then PyIceberg logs a warning for each. What can not be removed is left to the orphan sweep.
    """
    known = {entry.metadata_file for entry in table.metadata.metadata_log}
    for entry in before.metadata_log:
        if entry.metadata_file not in known:
            with suppress(OSError):
                table.io.delete(entry.metadata_file)


def _pause(attempt: int) -> float:
    """Seconds before a try: doubling, with chance, so that two committers do not keep step."""
    longest: float = min(FIRST_PAUSE_S * 2 ** (attempt - 1), LONGEST_PAUSE_S)
    return longest * random.uniform(0.5, 1.0)


def _told(error: Exception | None) -> str:
    message = error.message if isinstance(error, TidelakeError) else str(error)
    return f"{type(error).__name__}: {message}"
