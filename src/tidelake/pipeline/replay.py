"""Replays rejected records: judged again by today's rules, those that pass become events.

    position of the replay ─► rejects less those in events ─► process ─► commit (position + 1)

Exactly once, whoever replays beside and whenever it is killed: the replays of a table are one
stream whose position counts their commits. It is read before it is asked which records stand in
events already, and each commit moves it by one; where another moved it, everything is asked anew.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from tidelake.batch import RAW_SCHEMA, Encoded, RawBatch, split_position, stream_name
from tidelake.errors import FencedError, UnavailableError
from tidelake.event.contract import REJECTED, Contract
from tidelake.event.verdicts import Reason
from tidelake.lake.append import COMMIT_ID
from tidelake.lake.commit import Committer
from tidelake.lake.contract import contract_of
from tidelake.lake.parquet import encode as encode_parquet
from tidelake.lake.positions import REPLAY_SOURCE
from tidelake.lake.tables import load_table
from tidelake.lake.writer import Writer
from tidelake.pipeline.lakehouse import Lakehouse
from tidelake.pipeline.rejected import Where, chosen
from tidelake.pipeline.rules import HOUR_US, rules_of
from tidelake.process import Rules, process
from tidelake.settings import Settings

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog

TRIES = 20


@dataclass(slots=True)
class Replay:
    """What came of it, in records."""

    looked_at: int = 0
    passed: int = 0
    still: Counter[str] = field(default_factory=Counter)  # by today's reason
    by_type: Counter[str] = field(default_factory=Counter)  # of those that passed
    commits: int = 0


def rules_with(
    settings: Settings,
    max_age_days: float | None,
    max_ahead_h: float | None,
    max_event_bytes: int | None,
) -> Rules:
    """The rules of the settings, with the limits that are given for this replay."""
    rules = rules_of(settings, max_age_days)
    if max_ahead_h is not None:
        rules = replace(rules, max_ahead=int(max_ahead_h * HOUR_US))
    if max_event_bytes is not None:
        rules = replace(rules, max_event_bytes=max_event_bytes)
    return rules


def replay(
    lakehouse: Lakehouse,
    where: Where,
    rules: Rules,
    *,
    format: str | None = None,
    dry_run: bool = False,
    committer: Callable[[Catalog], Committer] = Committer,
    sleep: Callable[[float], None] = time.sleep,
) -> Replay:
    """Brings the chosen rejected records that pass now to `events`, under their old positions.

    With `format` they are judged as records of that one, whatever they were taken for: a file that
    was ingested with a wrong `--format` is mended so.

    Raises `UnavailableError` where the lake does not answer, or others replay without an end.
    What was committed before an error stays, and is not done again.
    """
    done = Replay()
    for _ in range(TRIES):
        try:
            _attempt(lakehouse, where, rules, format, None if dry_run else committer, done)
            return done
        except FencedError:
            # What another has replayed meanwhile is not looked at again; the rest is.
            done = Replay(passed=done.passed, by_type=done.by_type, commits=done.commits)
            sleep(random.uniform(0, 0.2))
    raise UnavailableError(
        f"others replayed at the same time, {TRIES} times in a row",
        hint="Run it again when they are done; nothing is lost or doubled.",
    )


def _attempt(
    lakehouse: Lakehouse,
    where: Where,
    rules: Rules,
    format: str | None,
    make_committer: Callable[[Catalog], Committer] | None,
    done: Replay,
) -> None:
    committer = make_committer(lakehouse.catalog) if make_committer else None
    # Before the tables are loaded: a replay that lands in between is seen, or fences us.
    known = committer.start_positions() if committer else {}
    rejects = load_table(lakehouse.catalog, "rejected_events")
    events = load_table(lakehouse.catalog, "events")
    stream = stream_name(REPLAY_SOURCE.rstrip("/"), str(rejects.metadata.table_uuid), 0)
    position = known.get(stream, (0, 0))[0]
    contract = contract_of(events)
    writer = Writer.for_tables(events, rejects)
    pending = replace(where, pending=True)
    for chunk in chosen(events, rejects, pending, REJECTED.names):
        passed = _judged(chunk if format is None else _as(chunk, format), contract, rules, done)
        if passed.num_rows and committer:
            stored = writer.store(_encoded(passed, contract, stream, position + 1))
            identity = committer.commit([stored]).commit_id
            _require_landed(lakehouse.catalog, stream, identity)
            position += 1
            done.commits += 1
        done.passed += passed.num_rows
        for kind in passed["event_type"].to_pylist():
            done.by_type[kind] += 1


def _as(chunk: pa.RecordBatch, format: str) -> pa.RecordBatch:
    """The records as if they had come as `format`."""
    at = chunk.schema.get_field_index("format")
    field = chunk.schema.field(at)
    column = pa.repeat(pa.scalar(format, pa.string()), chunk.num_rows).cast(field.type)
    return chunk.set_column(at, field, column)


def _judged(chunk: pa.RecordBatch, contract: Contract, rules: Rules, done: Replay) -> pa.Table:
    """The events among the records of a chunk; the others are counted."""
    # What a damaged frame lost can not be judged: its rows hold no record.
    whole = chunk.filter(pc.not_equal(chunk["reason"], Reason.DAMAGED_FRAME.value))
    done.looked_at += whole.num_rows
    passed = []
    for batch in _batches(whole):
        processed = process(batch, contract, rules)
        passed.append(processed.events)
        done.still.update(processed.rejected["reason"].to_pylist())
    return (
        pa.concat_tables(passed) if passed else pa.table({"event_type": pa.array([], pa.string())})
    )


def _batches(rejected: pa.RecordBatch) -> Iterator[RawBatch]:
    """The records as they came, a batch a stream."""
    streams: dict[str, list[tuple[int, int]]] = {}
    for row, position in enumerate(rejected["source_position"].to_pylist()):
        stream, number = split_position(position)
        streams.setdefault(stream, []).append((number, row))
    for stream, members in streams.items():
        members.sort()
        rows = rejected.take(pa.array([row for _, row in members], pa.int64()))
        numbers = pa.array([number for number, _ in members], pa.int64())
        yield RawBatch(stream, members[0][0], members[-1][0], _raw(rows), numbers)


def _raw(rejected: pa.RecordBatch) -> pa.RecordBatch:
    columns = {
        # A row without an envelope had an empty one.
        "envelope": pc.fill_null(rejected["envelope"], "").cast(pa.binary()),
    }
    arrays = [
        columns.get(column.name, rejected[column.name]).cast(column.type) for column in RAW_SCHEMA
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=RAW_SCHEMA)


def _encoded(events: pa.Table, contract: Contract, stream: str, number: int) -> Encoded:
    return Encoded(
        stream=stream,
        first=number,
        last=number,
        files=tuple(encode_parquet(events.combine_chunks(), contract)),
        events=events.num_rows,
        rejected={},
        damaged=0,
        raw_bytes=0,  # counted when the records came
    )


def _require_landed(catalog: Catalog, stream: str, identity: str) -> None:
    """Raises `FencedError` where the position was moved by another replay of other records.

    To the committer one move of a position is like another: for records that are read again it
    is the same work, here it is not.
    """
    snapshots = load_table(catalog, "events").metadata.snapshots
    if not any(s.summary is not None and s.summary[COMMIT_ID] == identity for s in snapshots):
        raise FencedError(f"{stream} was moved by another replay")
