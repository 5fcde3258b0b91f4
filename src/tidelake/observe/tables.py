"""What a lake table says of itself at one moment, and what in it does not add up.

A table says the same thing in several places: a position in its properties and in the summary of
the commit that moved it, a row count in its counters and in its current snapshot, its files in the
manifests and on the disk. Each place is written by another step, so that a hand that changes one of
them is found by the others.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from tidelake.observe.books import Finding


@dataclass(frozen=True, slots=True)
class LiveFile:
    """A data file of the current snapshot: size and rows as they were committed."""

    location: str
    size: int
    rows: int


@dataclass(frozen=True, slots=True)
class Audited:
    """A position as the commit that moved it last wrote it down; none: its stream was finished."""

    position: int | None
    snapshot_id: int


@dataclass(frozen=True, slots=True)
class TableFacts:
    """One table, read from one metadata file; times are epoch seconds."""

    name: str
    metadata: str  # name of the current metadata file, without `.metadata.json`
    positions: Mapping[str, int]
    counts: Mapping[str, int]
    unreadable: Mapping[str, str] = field(default_factory=dict)  # properties that are no numbers
    audited: Mapping[str, Audited] = field(default_factory=dict)
    rows: int = 0  # of the current snapshot, by its summary
    files: Sequence[LiveFile] = ()
    snapshots: int = 0
    tags: int = 0
    metadata_bytes: int = 0  # the metadata folder, of all snapshots
    committed_at: float | None = None

    @property
    def bytes(self) -> int:
        return sum(file.size for file in self.files)


def unlike_audit(facts: TableFacts) -> Iterator[Finding]:
    """Positions that are not what the commit that moved them wrote down."""
    for stream, said in sorted(facts.audited.items()):
        now = facts.positions.get(stream)
        if now != said.position:
            yield Finding(
                "positions",
                f"the position of {stream} in {facts.name} is {_shown(now)}, its commit (snapshot "
                f"{said.snapshot_id}) wrote {_shown(said.position)}: changed by hand",
            )


def unreadable(facts: TableFacts) -> Iterator[Finding]:
    """Properties of ours that hold no number."""
    for name, value in sorted(facts.unreadable.items()):
        yield Finding("positions", f"{facts.name}: the property {name} is {value!r}, no number")


def unlike_rows(facts: TableFacts, counted: int) -> Iterator[Finding]:
    """A row count by the counters that the current snapshot does not have."""
    if facts.rows != counted:
        yield Finding(
            facts.name,
            f"the current snapshot of {facts.name} has {facts.rows:,} rows, its counters say "
            f"{counted:,} ({facts.rows - counted:+,}): rows were added or removed by hand",
        )


def unlike_manifests(facts: TableFacts) -> Iterator[Finding]:
    """A row count of the current snapshot that its files do not have by the manifests."""
    listed = sum(file.rows for file in facts.files)
    if listed != facts.rows:
        yield Finding(
            facts.name,
            f"the current snapshot of {facts.name} says {facts.rows:,} rows, its manifests list "
            f"files with {listed:,}",
        )


def damaged_files(facts: TableFacts, sizes: Mapping[str, int | None]) -> Iterator[Finding]:
    """Live files that are missing or have another size; `sizes` gives what there is, by location.

    A location that `sizes` leaves out was not looked for.
    """
    for file in facts.files:
        size = sizes.get(file.location, file.size)
        if size is None:
            yield Finding(
                facts.name,
                f"a live file of {facts.name} is missing: {file.location} ({file.rows:,} rows)",
            )
        elif size != file.size:
            yield Finding(
                facts.name,
                f"a live file of {facts.name} has {size:,} bytes, {file.size:,} were committed: "
                f"{file.location} ({file.rows:,} rows)",
            )


def by_reason(counts: Mapping[str, int]) -> dict[str, int]:
    """Rejected records by reason, most first, out of the counters of `rejected_events`."""
    reasons = {
        name.removeprefix("reason."): number
        for name, number in counts.items()
        if name.startswith("reason.") and number
    }
    return dict(sorted(reasons.items(), key=lambda item: (-item[1], item[0])))


def unlike_reasons(facts: TableFacts) -> Iterator[Finding]:
    """Rejects counted by reason that are not the rejects counted together."""
    together = facts.counts.get("rejected", 0) + facts.counts.get("damaged", 0)
    apart = sum(by_reason(facts.counts).values())
    if together != apart:
        yield Finding(
            facts.name,
            f"the counters of {facts.name} say {together:,} records, by reason {apart:,} "
            f"({apart - together:+,})",
        )


def _shown(position: int | None) -> str:
    return "gone" if position is None else f"{position:,}"
