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
from tidelake.pipeline.lakehouse import Lakehouse, opened
from tidelake.pipeline.layer_look import LayerLook, look_at_layers
from tidelake.pipeline.recount import Recount, recount
from tidelake.pipeline.recount_gold import recount_or_say
from tidelake.pipeline.recount_silver import recount_raw, recount_silver
from tidelake.settings import Settings
from tidelake.warehouse.session import connect


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
    layers: LayerLook
    recount: Recount | None
    rows: dict[str, int]  # counted beyond the lake, by table
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
    # Whoever counts reads personal fields too; a look at the ledgers needs none.
    role = "transform" if count else "dashboard"
    with opened(settings, role, reads=True) as lakehouse:
        seen = look(lakehouse, before)
        layers = look_at_layers(lakehouse, seen)
        wrong = seen.books.wrong() + list(layers.findings)
        counted, rows = None, dict[str, int]()
        if count:
            # A missing file is named; what it held can not be counted.
            if not any("is missing" in finding.sentence for finding in wrong):
                counted = recount(lakehouse, seen)
                wrong += [finding for finding in counted.findings if finding not in wrong]
            wrong += _recount_layers(lakehouse, rows)
        return Status(
            at=time.time(),
            home=settings.home,
            parts=tuple(parts(settings.home, time.time())),
            look=seen,
            layers=layers,
            recount=counted,
            rows=rows,
            findings=tuple(wrong),
        )


def _recount_layers(lakehouse: Lakehouse, rows: dict[str, int]) -> list[Finding]:
    """Counts raw, silver and gold, each against the one before; `rows` gets what was counted."""
    with connect(lakehouse.database_url) as connection:
        raw, silver = recount_raw(connection), recount_silver(connection)
    rows |= {**raw.rows, **silver.rows}
    found = [*raw.findings, *silver.findings]
    # What silver lacks gold would be blamed for.
    if not silver.findings:
        gold = recount_or_say(lakehouse)
        rows |= gold.rows
        found += gold.findings
    return found


def parts(home: Path, now: float) -> Iterator[PartState]:
    """What each part that left a heartbeat is doing, by its last word and its process."""
    for name, said in heartbeat.read(home).items():
        if not psutil.pid_exists(said.pid):
            state = "is gone"
        elif said.stale(now):
            state = "is silent"
        else:
            state = "runs"
        yield PartState(name, state, said.pid, max(now - said.at, 0.0), said.concern)


def as_json(found: Status) -> dict[str, Any]:
    """The status as one JSON object: `balanced`, `books`, `lag`, `lake`, `parts`, `findings` …"""
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
        "lag": {lag.layer: asdict(lag) for lag in found.layers.lags},
        "gold": None if found.layers.gold is None else asdict(found.layers.gold),
        "layer_books": {**asdict(found.layers.books), "waiting": dict(found.layers.rows_waiting)},
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
    if found.rows:
        document["counted"] = found.rows
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
