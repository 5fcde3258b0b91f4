"""The books of a lake: what its sources accepted, what its tables hold, what does not add up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tidelake.event.verdicts import Reason
from tidelake.files import open_disk
from tidelake.inbox import Inbox, LaneState
from tidelake.lake import positions as names
from tidelake.lake.judged import judged_records
from tidelake.lake.tables import load_table
from tidelake.lake.trouble import translated
from tidelake.observe import tables as judge
from tidelake.observe.books import Books, Finding
from tidelake.observe.tables import TableFacts
from tidelake.pipeline import hints
from tidelake.pipeline.lakehouse import Lakehouse
from tidelake.pipeline.table_facts import Pair, ahead, facts_of, load_pair, sizes_on_disk

if TYPE_CHECKING:
    from pyiceberg.table import Table


@dataclass(frozen=True, slots=True)
class Look:
    """Everything that was seen at one moment. `pair` is what a recount must count."""

    pair: Pair
    events: TableFacts
    rejects: TableFacts
    lanes: tuple[LaneState, ...]
    books: Books


def look(lakehouse: Lakehouse, hints_before: hints.Hints | None = None) -> Look:
    """Reads tables and inbox once and judges them; costs by files and snapshots, not by rows.

    `hints_before` are the version hints as they were before the lake was opened, which mends them.
    Raises `UnavailableError` where the catalog or a manifest can not be read.
    """
    pair = load_pair(lakehouse.catalog)
    events, rejects = facts_of(pair.events), facts_of(pair.rejects)
    # After the tables: what was accepted since only adds to what waits.
    lanes = _lanes(lakehouse)
    findings = [
        *_of_tables(lakehouse, pair, events, rejects),
        *hints.wrong(lakehouse, hints_before),
    ]
    books = Books(
        accepted={lane.stream: lane.mark for lane in lanes},
        positions=_own(events.positions),
        finished=events.counts.get(names.FINISHED, 0),
        events=events.counts.get(names.EVENTS, 0),
        rejected=rejects.counts.get(names.REJECTED, 0),
        damaged=rejects.counts.get(names.DAMAGED, 0),
        replayed=events.counts.get(names.REPLAYED, 0),
        rolled_back=events.counts.get(names.ROLLED_BACK, 0),
        rejected_ahead=_records_ahead(pair),
        findings=tuple(findings),
    )
    return Look(pair, events, rejects, lanes, books)


def read_books(lakehouse: Lakehouse) -> Books:
    """The books alone."""
    return look(lakehouse).books


def _of_tables(
    lakehouse: Lakehouse, pair: Pair, events: TableFacts, rejects: TableFacts
) -> Iterator[Finding]:
    for facts in (events, rejects):
        yield from _of_files(lakehouse, facts)
        yield from judge.unreadable(facts)
        yield from judge.unlike_audit(facts)
        yield from judge.unlike_manifests(facts)
    yield from judge.unlike_rows(events, events.counts.get(names.EVENTS, 0))
    gaps = _gap_rows(pair.rejects) if rejects.counts.get(names.DAMAGED) else 0
    yield from judge.unlike_rows(rejects, rejects.counts.get(names.REJECTED, 0) + gaps)
    yield from judge.unlike_reasons(rejects)


def _of_files(lakehouse: Lakehouse, facts: TableFacts) -> Iterator[Finding]:
    """Live files that are not on the disk as they were committed."""
    wrong = list(judge.damaged_files(facts, sizes_on_disk(facts.files)))
    if wrong:
        # Care may have replaced and removed them since the table was loaded.
        now = facts_of(load_table(lakehouse.catalog, facts.name))
        live = {file.location for file in now.files}
        kept = tuple(file for file in facts.files if file.location in live)
        wrong = list(judge.damaged_files(replace(facts, files=kept), sizes_on_disk(kept)))
    yield from wrong


def _lanes(lakehouse: Lakehouse) -> tuple[LaneState, ...]:
    inbox = Inbox(lakehouse.settings.home, open_disk())
    # Marks may be lost or old where a collector died: its lanes say themselves what they hold.
    inbox.recover()
    return tuple(inbox.lanes())


def _own(positions: Mapping[str, int]) -> dict[str, int]:
    """Positions of streams of records; a replay's counts batches of records accepted before."""
    return {s: n for s, n in positions.items() if not s.startswith(names.REPLAY_SOURCE)}


def _gap_rows(rejects: Table) -> int:
    """Rows that stand for the records of a damaged frame."""
    from pyiceberg.expressions import EqualTo

    with translated("count damaged frames"):
        found = rejects.scan(
            # mypy reads the fields of the model, not its own __init__(term, literal).
            row_filter=EqualTo("reason", Reason.DAMAGED_FRAME.value),  # type: ignore[call-arg, arg-type, misc]
            selected_fields=("records",),
        ).to_arrow()
    return int(found.num_rows)


def _records_ahead(pair: Pair) -> int:
    """Rejected records of ranges whose events are not committed yet."""
    return sum(
        sum(judged_records(pair.rejects, stream, done, judged).values())
        for stream, (done, judged) in ahead(pair).items()
    )
