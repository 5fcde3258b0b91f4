"""What the lake holds against what was sent, read by PyIceberg alone and not by our own code."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.table import Table

POSITION = "tidelake.position."
COUNT = "tidelake.count."
FIRST_FEW = 3


@dataclass
class Sent:
    """Records by their bytes. What got no answer may be in the lake, once, or not at all."""

    acknowledged: set[bytes] = field(default_factory=set)
    unanswered: set[bytes] = field(default_factory=set)

    def begin(self, records: Iterable[bytes]) -> None:
        self.unanswered.update(records)

    def acknowledge(self, records: Iterable[bytes]) -> None:
        done = set(records)
        self.unanswered -= done
        self.acknowledged |= done


@dataclass(frozen=True, slots=True)
class Row:
    """A record as it stands in one of the two tables; `records` above 1 is a damaged frame."""

    table: str
    stream: str
    number: int
    original: bytes
    received_at: Any
    key: bytes | None = None
    reason: str = ""
    records: int = 1


@dataclass(frozen=True)
class Lake:
    """All rows of both tables, and their properties."""

    rows: list[Row]
    events: Mapping[str, str]
    rejected: Mapping[str, str]

    @property
    def damaged(self) -> list[Row]:
        return [row for row in self.rows if row.reason == "damaged_frame"]

    def position(self, stream: str) -> int:
        return int(self.events.get(POSITION + stream, 0))


@dataclass(frozen=True)
class Comparison:
    """Records of the lake against those sent; empty lists are what is wanted."""

    acknowledged: int
    lost: list[bytes]
    doubled: list[bytes]
    strangers: list[bytes]
    faults: list[str]

    @property
    def trouble(self) -> list[str]:
        """Everything that is wrong, in sentences."""
        sets = (("lost", self.lost), ("doubled", self.doubled), ("never sent", self.strangers))
        named = [f"{len(of)} {what}: {of[:FIRST_FEW]}" for what, of in sets if of]
        return [*named, *self.faults]


def read_lake(database_url: str, warehouse: Path) -> Lake:
    """Every row of the lake as its catalog shows it now."""
    uri = database_url.replace("postgresql://", "postgresql+psycopg://")
    with closing(SqlCatalog("lake", uri=uri, warehouse=warehouse.as_uri())) as catalog:
        events = catalog.load_table(("events_db", "events"))
        rejected = catalog.load_table(("events_db", "rejected_events"))
        return rows_of(events, rejected)


def rows_of(events: Table, rejected: Table) -> Lake:
    rows = [_event(row) for row in _scan(events, "event_key", "_doc", "_rest", "_doc_at")]
    rows += [_reject(row) for row in _scan(rejected, "body", "reason", "records")]
    return Lake(rows, events.properties, rejected.properties)


def _scan(table: Table, *columns: str) -> list[dict[str, Any]]:
    names = ("source_position", "received_at", *columns)
    return table.scan(selected_fields=names).to_arrow().to_pylist()


def _event(row: Mapping[str, Any]) -> Row:
    stream, _, number = row["source_position"].rpartition("/")
    rest, at = row["_rest"].encode(), row["_doc_at"]
    whole = rest if at is None else rest[:at] + row["_doc"].encode() + rest[at + len("null") :]
    return Row("events", stream, int(number), whole, row["received_at"], row["event_key"])


def _reject(row: Mapping[str, Any]) -> Row:
    stream, _, number = row["source_position"].rpartition("/")
    return Row(
        "rejected_events",
        stream,
        int(number),
        row["body"] or b"",
        row["received_at"],
        reason=row["reason"],
        records=row["records"],
    )


def compare(lake: Lake, sent: Sent, marks: Mapping[str, int], damaged: int = 0) -> Comparison:
    """`marks` are the last accepted record of each stream; `damaged` records may be missing."""
    found = Counter(row.original for row in lake.rows if row.reason != "damaged_frame")
    lost = sorted(sent.acknowledged - found.keys())
    told_lost = sum(row.records for row in lake.damaged)
    faults = [*_of_numbers(lake, marks), *_of_keys(lake), *_of_counts(lake)]
    if told_lost != damaged:
        faults.append(f"{told_lost} records are told to be damaged, {damaged} are")
    return Comparison(
        acknowledged=len(sent.acknowledged),
        lost=lost if len(lost) > damaged else [],
        doubled=sorted(body for body, times in found.items() if times > 1),
        strangers=sorted(found.keys() - sent.acknowledged - sent.unanswered),
        faults=faults,
    )


def _of_numbers(lake: Lake, marks: Mapping[str, int]) -> list[str]:
    """Numbers 1 to the mark, each in one row of one table, and the position at the mark."""
    taken: dict[str, Counter[int]] = defaultdict(Counter)
    for row in lake.rows:
        taken[row.stream].update(range(row.number, row.number + row.records))
    faults = []
    for stream in sorted(taken.keys() | marks.keys()):
        numbers = taken[stream]
        mark = marks.get(stream, max(numbers, default=0))  # a file tells no mark
        twice = sorted(number for number, times in numbers.items() if times > 1)
        holes = sorted(set(range(1, mark + 1)) - numbers.keys())
        beyond = sorted(number for number in numbers if number > mark)
        for what, of in (("twice", twice), ("missing", holes), ("beyond the mark", beyond)):
            if of:
                faults.append(f"{stream}: {len(of)} numbers {what}, from {of[0]} to {of[-1]}")
        if stream.startswith("inbox/") and lake.position(stream) != mark:
            faults.append(f"{stream}: position {lake.position(stream)}, mark {mark}")
    return faults


def _of_keys(lake: Lake) -> list[str]:
    keys = Counter(row.key for row in lake.rows if row.table == "events")
    twice = [key for key, times in keys.items() if times > 1]
    faults = [f"{len(twice)} event keys stand twice"] if twice else []
    arrivals: dict[str, set[Any]] = defaultdict(set)
    for row in lake.rows:
        if row.stream.startswith("file/"):
            arrivals[row.stream].add(row.received_at)
    # A file arrives once: ingested again, its rows must come out the same.
    faults += [f"{s} arrived {len(at)} times" for s, at in sorted(arrivals.items()) if len(at) > 1]
    return faults


def _of_counts(lake: Lake) -> list[str]:
    """The counters of the tables against their rows."""
    events = sum(row.table == "events" for row in lake.rows)
    rejected = sum(row.table != "events" and row.reason != "damaged_frame" for row in lake.rows)
    damaged = sum(row.records for row in lake.damaged)
    told = (
        ("events", lake.events, events),
        ("rejected", lake.rejected, rejected),
        ("damaged", lake.rejected, damaged),
    )
    return [
        f"the counter {name} says {properties.get(COUNT + name, 0)}, there are {there}"
        for name, properties, there in told
        if int(properties.get(COUNT + name, 0)) != there
    ]
