"""`tidelake status`: the parts, the layers, the books, and what does not add up."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from tidelake.observe import heartbeat
from tidelake.observe.books import Finding
from tidelake.observe.tables import TableFacts, by_reason
from tidelake.pipeline import hints
from tidelake.pipeline.books import Look, look
from tidelake.pipeline.lakehouse import opened
from tidelake.pipeline.recount import Recount, recount
from tidelake.settings import Settings


@dataclass(frozen=True, slots=True)
class PartState:
    """One part that said something: `runs`, `is silent` or `is gone`."""

    part: str
    state: str
    pid: int
    age_s: float
    alert: str


@dataclass(frozen=True, slots=True)
class Status:
    """What was seen at `at` (epoch seconds)."""

    at: float
    home: Path
    parts: tuple[PartState, ...]
    look: Look
    recount: Recount | None
    findings: tuple[Finding, ...]

    @property
    def rejected_by_reason(self) -> dict[str, int]:
        """Records, most first."""
        return by_reason(self.look.rejects.counts)

    @property
    def balanced(self) -> bool:
        return not self.findings


def status(settings: Settings, *, count: bool = False) -> Status:
    """Looks once at everything; `count` reads the rows too. Works while `up` runs or nothing does.

    Raises `UnavailableError` where the lake can not be read at all.
    """
    before = hints.read_before(settings, time.time())
    with opened(settings) as lakehouse:
        seen = look(lakehouse, before)
        wrong = seen.books.wrong()
        counted = None
        # A missing file is named; what it held can not be counted.
        if count and not any("is missing" in finding.sentence for finding in wrong):
            counted = recount(lakehouse, seen)
            wrong += [finding for finding in counted.findings if finding not in wrong]
        return Status(
            at=time.time(),
            home=settings.home,
            parts=tuple(parts(settings.home, time.time())),
            look=seen,
            recount=counted,
            findings=tuple(wrong),
        )


def parts(home: Path, now: float) -> Iterator[PartState]:
    """What each part that left a heartbeat is doing, by its last word and its process."""
    for name, said in heartbeat.read(home).items():
        if not psutil.pid_exists(said.pid):
            state = "is gone"
        elif said.stale(now):
            state = "is silent"
        else:
            state = "runs"
        alert = str(said.values.get("alert") or said.values.get("trouble") or "")
        yield PartState(name, state, said.pid, max(now - said.at, 0.0), alert)


def as_json(found: Status) -> dict[str, Any]:
    """The status as one JSON object: `balanced`, `books`, `inbox`, `lake`, `parts`, `findings`."""
    books, seen = found.look.books, found.look
    document: dict[str, Any] = {
        "at": datetime.fromtimestamp(found.at, UTC).isoformat(),
        "home": str(found.home),
        "balanced": found.balanced,
        "findings": [asdict(finding) for finding in found.findings],
        "books": {
            "accepted": books.total_accepted,
            "waiting": books.waiting,
            "events": books.events,
            "rejected": books.rejected,
            "replayed": books.replayed,
            "damaged": books.damaged,
            "rolled_back": books.rolled_back,
            "rejected_ahead": books.rejected_ahead,
        },
        "rejected_by_reason": found.rejected_by_reason,
        "inbox": [asdict(lane) for lane in seen.lanes],
        "positions": dict(seen.events.positions),
        "lake": {facts.name: _table(facts, found.at) for facts in (seen.events, seen.rejects)},
        "parts": [asdict(part) for part in found.parts],
    }
    if found.recount is not None:
        document["recount"] = {
            "events": found.recount.events,
            "rejected": found.recount.rejected,
            "streams": found.recount.streams,
        }
    return document


def _table(facts: TableFacts, now: float) -> dict[str, Any]:
    return {
        "rows": facts.rows,
        "files": len(facts.files),
        "bytes": facts.bytes,
        "snapshots": facts.snapshots,
        "tags": facts.tags,
        "metadata": facts.metadata,
        "metadata_bytes": facts.metadata_bytes,
        "last_commit_age_s": None if facts.committed_at is None else now - facts.committed_at,
    }
