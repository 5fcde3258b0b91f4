"""Reads from the lake what `observe` judges: the facts of both tables, and what is on the disk."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tidelake.event.contract import EVENTS, REJECTED
from tidelake.lake.entries import live_files
from tidelake.lake.file_io import local_path
from tidelake.lake.positions import COUNT, POSITION
from tidelake.lake.statistics import metadata_folder
from tidelake.lake.tables import load_table
from tidelake.observe.tables import Audited, LiveFile, TableFacts

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog
    from pyiceberg.table import Table

PAIR_TRIES = 10
PAIR_PAUSE_S = 0.1


@dataclass(frozen=True, slots=True)
class Pair:
    """Both tables as they were at one moment."""

    events: Table
    rejects: Table


def load_pair(catalog: Catalog, sleep: Callable[[float], None] = time.sleep) -> Pair:
    """Both tables between two commits, if one comes within a second; else with `rejects` ahead.

    A commit moves the rejects first. Loaded in the other order they are never behind.
    """
    pair = Pair(load_table(catalog, EVENTS.table), load_table(catalog, REJECTED.table))
    for _ in range(PAIR_TRIES):
        if not ahead(pair):
            break
        sleep(PAIR_PAUSE_S)
        pair = Pair(load_table(catalog, EVENTS.table), load_table(catalog, REJECTED.table))
    return pair


def ahead(pair: Pair) -> dict[str, tuple[int, int]]:
    """Streams whose rejects are committed beyond their events: position of events, of rejects."""
    done = _numbers(pair.events.properties, POSITION)[0]
    judged = _numbers(pair.rejects.properties, POSITION)[0]
    return {s: (done.get(s, 0), n) for s, n in judged.items() if n > done.get(s, 0)}


def facts_of(table: Table) -> TableFacts:
    """The facts of a table, from its metadata and the manifests of its current snapshot."""
    positions, strange_positions = _numbers(table.properties, POSITION)
    counts, strange_counts = _numbers(table.properties, COUNT)
    snapshot = table.metadata.current_snapshot()
    files = [LiveFile(file.location, file.size, file.rows) for file in live_files(table)]
    return TableFacts(
        name=table.name()[-1],
        metadata=metadata_name(table),
        positions=positions,
        counts=counts,
        unreadable=strange_positions | strange_counts,
        audited=audited(table),
        rows=_total_records(table),
        files=files,
        snapshots=len(table.metadata.snapshots),
        tags=sum(ref.snapshot_ref_type == "tag" for ref in table.metadata.refs.values()),
        metadata_bytes=metadata_folder(table)[1],
        committed_at=snapshot.timestamp_ms / 1000 if snapshot else None,
    )


def audited(table: Table) -> dict[str, Audited]:
    """For each stream what the newest of the remaining snapshots that moved it says of it."""
    found: dict[str, Audited] = {}
    for snapshot in sorted(table.metadata.snapshots, key=lambda s: s.sequence_number or 0):
        if snapshot.summary is None:
            continue
        for stream, (_, new) in _moved(snapshot.summary["tidelake.positions"]).items():
            found[stream] = Audited(new, snapshot.snapshot_id)
        if finished := snapshot.summary["tidelake.finished"]:
            found[finished] = Audited(None, snapshot.snapshot_id)
    return found


def sizes_on_disk(files: Sequence[LiveFile]) -> dict[str, int | None]:
    """Bytes of each local file, none where it is missing; files elsewhere are left out."""
    found: dict[str, int | None] = {}
    for file in files:
        path = local_path(file.location)
        if path is not None:
            try:
                found[file.location] = path.stat().st_size
            except OSError:
                found[file.location] = None
    return found


def metadata_name(table: Table) -> str:
    """Name of the current metadata file, as the version hint gives it."""
    return table.metadata_location.rpartition("/")[2].removesuffix(".metadata.json")


def _total_records(table: Table) -> int:
    snapshot = table.metadata.current_snapshot()
    if snapshot is None or snapshot.summary is None:
        return 0
    return int(snapshot.summary["total-records"] or 0)


def _moved(text: str | None) -> Mapping[str, Sequence[int]]:
    moved: Mapping[str, Sequence[int]] = json.loads(text) if text else {}
    return moved


def _numbers(properties: Mapping[str, str], prefix: str) -> tuple[dict[str, int], dict[str, str]]:
    """Properties below a prefix that are numbers, without it; and those that are none, in full."""
    numbers, strange = {}, {}
    for name, value in properties.items():
        if name.startswith(prefix):
            if value.isascii() and value.isdigit():
                numbers[name.removeprefix(prefix)] = int(value)
            else:
                strange[name] = value
    return numbers, strange
