"""What the pages ask of a pipeline that runs, beside gold. `pipeline` answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class News:
    """What the pipeline did since a gold version. None is what is not known.

    `waiting_since` is the moment of the oldest load that this gold does not hold; `failed_model`
    and `trouble` are those of the transform that runs now, `trouble_since` when they began.
    """

    waiting_since: datetime | None = None
    waiting_loads: int = 0
    failed_model: str = ""
    trouble: str = ""
    trouble_since: datetime | None = None
    runs: bool = False  # a pipeline runs on this home


@dataclass(frozen=True, slots=True)
class PartFact:
    """One part: `runs`, `is silent` or `is gone`; what troubles it in its own words."""

    name: str
    state: str
    age_s: float
    trouble: str = ""
    memory_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class LayerFact:
    """A layer: what came into it, what waits before it, and how old the oldest of that is."""

    layer: str
    per_s: float | None = None  # records, over the last minute
    total: int | None = None
    waiting: int | None = None
    waiting_what: str = "records"
    lag_s: float | None = None


@dataclass(frozen=True, slots=True)
class CommitFact:
    """A commit to the lake."""

    at: datetime
    table: str
    sequence_number: int
    operation: str
    records: int
    files: int
    bytes: int


@dataclass(frozen=True, slots=True)
class TableFact:
    """A table in numbers; None is what its layer does not know."""

    layer: str
    table: str
    rows: int | None
    bytes: int | None
    files: int | None = None
    snapshots: int | None = None


@dataclass(frozen=True, slots=True)
class AlertFact:
    """A rule that stands now; `severity` is info, warning or critical."""

    name: str
    sentence: str
    severity: str = "warning"
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class PipelineFacts:
    """Everything live at one moment. `trouble` says what could not be asked, and why."""

    at: datetime
    parts: Sequence[PartFact] = ()
    layers: Sequence[LayerFact] = ()
    commits: Sequence[CommitFact] = ()
    tables: Sequence[TableFact] = ()
    alerts: Sequence[AlertFact] = ()
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Station:
    """Where a record is known to have been; `at` None: it is not there yet."""

    name: str
    where: str = ""
    at: datetime | None = None
    detail: str = ""
    done: bool = True


@dataclass(frozen=True, slots=True)
class SeenRecord:
    """A record of the last ones, with its way through the system."""

    title: str
    received_at: datetime
    project: str
    facts: Sequence[str] = ()
    flags: Sequence[str] = ()
    body: str = ""
    rejected: bool = False
    way: Sequence[Station] = field(default_factory=tuple)


class LiveFacts(Protocol):
    """A running pipeline as the pages see it.

    Every answer is at most a few seconds old and cheap enough to be asked for every few seconds.
    Nothing here raises for a pipeline that stands still: it is silent, and the facts say so.
    """

    def collector_url(self) -> str | None:
        """Where events are sent to; none while no collector runs."""

    def news(self, to_load_id: int) -> News:
        """What is newer than a gold that holds the loads up to this one. Never raises."""

    def alerts(self) -> Sequence[AlertFact]:
        """The alerts that go on; none while nobody looks at the rules. Never raises."""

    def pipeline(self) -> PipelineFacts:
        """Rates, lags, parts and tables. Never raises: what can not be asked is in `trouble`."""

    def last_records(self, count: int, *, rejected: bool, project: str) -> Sequence[SeenRecord]:
        """The newest records first, of a project unless that is empty.

        Raises `UnavailableError` while PostgreSQL does not answer.
        """
