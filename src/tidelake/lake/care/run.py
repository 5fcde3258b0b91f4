"""One look at both tables: compact, then tag and expire, then remove what nothing needs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from tidelake import crash
from tidelake.errors import FencedError, IncompatibleError
from tidelake.event.contract import EVENTS, REJECTED
from tidelake.lake import pointer
from tidelake.lake.care.expire import DAILY, Expire, due
from tidelake.lake.care.plan import Rewrite, plan
from tidelake.lake.care.remove import old_files, orphans, remove, unreachable
from tidelake.lake.care.replace import Replace
from tidelake.lake.care.rewrite import rewrite
from tidelake.lake.contract import contract_of, require_known_columns
from tidelake.lake.entries import Manifests, has_deletes
from tidelake.lake.swap import Swapper
from tidelake.lake.tables import load_table
from tidelake.lake.trouble import translated
from tidelake.lake.writer import StoredFile, Writer
from tidelake.settings import Care

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog
    from pyiceberg.table import Table

Watermarks = Callable[[str], int | None]

# One look at a table rewrites no more, so that expiry has its turn between the steps of a backlog.
MOST_REWRITES = 200


def never() -> bool:
    """Nobody asks a look to stop."""
    return False


@dataclass(slots=True)
class TableReport:
    """What care did to one table."""

    table: str
    rewrites: list[tuple[date, int, int]] = field(default_factory=list)  # day, files, bytes written
    put_off: int = 0  # rewrites that are due and left to the next look
    tags: tuple[str, ...] = ()
    expired: int = 0  # snapshots
    removed: int = 0  # files that expiry made unreachable
    orphans: int = 0  # files that no metadata named
    left_alone: str = ""  # why nothing was compacted


@dataclass(slots=True)
class Carer:
    """Cares for both tables; keeps what it read of their manifests from one look to the next.

    `watermarks` gives, for a table, the lowest sequence number up to which every registered
    consumer has taken the rows; none where there is no consumer.
    """

    catalog: Catalog
    care: Care
    watermarks: Watermarks
    _manifests: dict[str, Manifests] = field(default_factory=dict)

    def once(self, now: datetime, stopped: Callable[[], bool] = never) -> list[TableReport]:
        """One look, `now` in UTC; ends after the rewrite under way once `stopped` says so.

        Raises `UnavailableError` where catalog or warehouse do not answer: what was done by then
        stays, and the next look goes on.
        """
        return [self._table(name, now, stopped) for name in (REJECTED.table, EVENTS.table)]

    def _table(self, name: str, now: datetime, stopped: Callable[[], bool]) -> TableReport:
        report = TableReport(name)
        if stopped():
            return report
        table = load_table(self.catalog, name)
        manifests = self._manifests.setdefault(name, Manifests(table.io))
        lowest = self.watermarks(name)
        try:
            self._compact(table, manifests, now, lowest, report, stopped)
        except (FencedError, IncompatibleError) as exc:
            # Another engine was faster, or owns the table's shape. Tags and expiry go on.
            report.left_alone = exc.message
        if stopped():
            return report
        self._expire(name, manifests, now, lowest, report)
        if any(tag.startswith(DAILY[:6]) for tag in report.tags):
            self._sweep(name, manifests, now, report)
        return report

    def _compact(
        self,
        table: Table,
        manifests: Manifests,
        now: datetime,
        lowest: int | None,
        report: TableReport,
        stopped: Callable[[], bool],
    ) -> None:
        snapshot = table.metadata.current_snapshot()
        if snapshot is None:
            return
        if has_deletes(table):
            report.left_alone = "delete files of another engine are in it"
            return
        contract = contract_of(table)
        require_known_columns(table, contract)
        with translated(f"read the manifests of {report.table}"):
            jobs = plan(manifests.live(snapshot), now, self.care, lowest)
        report.put_off = max(0, len(jobs) - MOST_REWRITES)
        writer = Writer.for_tables(table)
        for step in _steps(jobs[:MOST_REWRITES], self.care.target_file_bytes):
            done: list[tuple[Rewrite, StoredFile]] = []
            for job in step:
                if stopped():
                    break
                done.append((job, rewrite(job, contract, table.io, writer)))
            self._replace(report, done, manifests)

    def _replace(
        self, report: TableReport, done: list[tuple[Rewrite, StoredFile]], manifests: Manifests
    ) -> None:
        """All of them in one snapshot, however many days they are of."""
        if not done:
            return
        inputs = tuple(file for job, _ in done for file in job.files)
        crash.point("care.before_swap")
        self._swap(report.table, Replace(inputs, tuple(stored for _, stored in done), manifests))
        crash.point("care.after_swap")
        report.rewrites += [(job.day, len(job.files), stored.size) for job, stored in done]

    def _swap(self, name: str, change: Replace | Expire) -> Table:
        table = Swapper(self.catalog, name).swap(change)
        pointer.publish(table)
        return table

    def _expire(
        self,
        name: str,
        manifests: Manifests,
        now: datetime,
        lowest: int | None,
        report: TableReport,
    ) -> None:
        before = load_table(self.catalog, name).metadata
        expiry = due(before, now, self.care, lowest)
        if not expiry:
            return
        table = self._swap(name, Expire(now, self.care, lowest))
        with translated(f"compare what snapshots of {name} reach"):
            leftover = unreachable(before, table.metadata, manifests)
        report.tags = expiry.new_tags
        report.expired = len(expiry.snapshots)
        report.removed = remove(table, leftover)

    def _sweep(self, name: str, manifests: Manifests, now: datetime, report: TableReport) -> None:
        older_than = timedelta(hours=self.care.orphan_age_h)
        candidates = old_files(load_table(self.catalog, name), now, older_than)
        table = load_table(self.catalog, name)
        with translated(f"look for orphans of {name}"):
            found = orphans(candidates, table, manifests)
        report.orphans = remove(table, found)


def care_once(
    catalog: Catalog, care: Care, now: datetime, watermarks: Watermarks
) -> list[TableReport]:
    """One look at both tables; see `Carer`, which is cheaper where there is another look."""
    return Carer(catalog, care, watermarks).once(now)


def _steps(jobs: Iterable[Rewrite], most_bytes: int) -> Iterator[list[Rewrite]]:
    """Jobs that are swapped together: what a lost race costs is bounded, a snapshot is not spent
    on each small day of a long history.
    """
    step: list[Rewrite] = []
    for job in jobs:
        step.append(job)
        if sum(one.size for one in step) >= most_bytes:
            yield step
            step = []
    if step:
        yield step
