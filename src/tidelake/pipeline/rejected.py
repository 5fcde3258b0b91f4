"""Rejected records: which there are, why, what they held, and which were replayed since.

Rejects are immutable. A rejected record is *replayed* when its `source_position` stands in `events`
too: a question to both tables, and no mark on the row.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import IO, TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from tidelake.batch import split_position
from tidelake.errors import UsageError
from tidelake.event.contract import REJECTED
from tidelake.event.verdicts import Reason
from tidelake.lake.positions import REPLAYED, counts
from tidelake.lake.tables import load_table
from tidelake.lake.trouble import translated
from tidelake.pipeline.lakehouse import Lakehouse

if TYPE_CHECKING:
    from pyiceberg.expressions import BooleanExpression
    from pyiceberg.table import Table

SHOWN = tuple(name for name in REJECTED.names if name not in ("body", "envelope"))
MOST_ROWS = 4096  # of a chunk
MOST_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Where:
    """Which rejected records; an empty field does not choose. Times are of `received_at`."""

    reasons: tuple[str, ...] = ()
    field: str = ""
    project: str = ""
    since: datetime | None = None
    until: datetime | None = None
    positions: tuple[str, ...] = ()
    pending: bool = False  # only those that were not replayed

    def __post_init__(self) -> None:
        if unknown := sorted(set(self.reasons) - {reason.value for reason in Reason}):
            raise UsageError(
                f"{', '.join(unknown)} is no reason", hint=f"Choose of: {', '.join(Reason)}."
            )
        for position in self.positions:
            _check_position(position)

    def expression(self) -> BooleanExpression:
        """The choice as a filter on `rejected_events`, without `pending`."""
        from pyiceberg import expressions as iceberg

        found: BooleanExpression = iceberg.AlwaysTrue()
        for column, values in (("source_position", self.positions), ("reason", self.reasons)):
            if values:
                # mypy reads the fields of the models, not their own __init__(term, literals).
                among = iceberg.In(column, values)  # type: ignore[call-arg, arg-type, misc]
                found = iceberg.And(found, among)
        for column, value in (("field", self.field), ("project", self.project)):
            if value:
                equal = iceberg.EqualTo(column, value)  # type: ignore[call-arg, arg-type, misc] # as above
                found = iceberg.And(found, equal)
        if self.since:
            since = self.since.isoformat()
            later = iceberg.GreaterThanOrEqual("received_at", since)  # type: ignore[call-arg, arg-type, misc] # as above
            found = iceberg.And(found, later)
        if self.until:
            until = self.until.isoformat()
            earlier = iceberg.LessThan("received_at", until)  # type: ignore[call-arg, arg-type, misc] # as above
            found = iceberg.And(found, earlier)
        return found


@dataclass(frozen=True, slots=True)
class Rejects:
    """Records by reason, most first, and the newest rows, each with `replayed`."""

    by_reason: Mapping[str, int]
    rows: tuple[Mapping[str, Any], ...]


def find(lakehouse: Lakehouse, where: Where, limit: int) -> Rejects:
    """Counts the chosen records and gives the newest `limit` rows, without their bodies."""
    events, rejects = tables(lakehouse)
    by_reason: Counter[str] = Counter()
    newest = None
    for batch in chosen(events, rejects, where, SHOWN):
        rows = pa.Table.from_batches([batch])
        for group in rows.group_by("reason").aggregate([("records", "sum")]).to_pylist():
            by_reason[group["reason"]] += group["records_sum"]
        both = rows if newest is None else pa.concat_tables([newest, rows])
        newest = both.sort_by([("received_at", "descending")]).slice(0, limit)
    found = [] if newest is None else newest.to_pylist()
    done = replayed(events, (row["source_position"] for row in found))
    return Rejects(
        dict(by_reason.most_common()),
        tuple({**row, "replayed": row["source_position"] in done} for row in found),
    )


def show(lakehouse: Lakehouse, position: str) -> Mapping[str, Any]:
    """All columns of one rejected record, and `replayed`; raises `UsageError` where it is none."""
    events, rejects = tables(lakehouse)
    for batch in chosen(events, rejects, Where(positions=(position,)), REJECTED.names):
        for row in batch.to_pylist():
            return {**row, "replayed": bool(replayed(events, [position]))}
    raise UsageError(
        f"no rejected record has the position {position}",
        hint="`tidelake rejected list` shows positions; an accepted record is in events.",
    )


def tables(lakehouse: Lakehouse) -> tuple[Table, Table]:
    """`events` and `rejected_events`, so that no reject is newer than what is known of its replay.

    A replay commits to events only, after its rejects: events are loaded last.
    """
    rejects = load_table(lakehouse.catalog, "rejected_events")
    return load_table(lakehouse.catalog, "events"), rejects


def chosen(
    events: Table, rejects: Table, where: Where, columns: Iterable[str]
) -> Iterator[pa.RecordBatch]:
    """The chosen rows in chunks that fit in memory, in the order of the files."""
    done = _all_replayed(events, rejects, where) if where.pending else set[str]()
    with translated("read the rejected records"):
        reader = rejects.scan(
            row_filter=where.expression(), selected_fields=tuple(columns)
        ).to_arrow_batch_reader()
        for batch in reader:
            if done:
                known = pa.array(sorted(done), batch["source_position"].type)
                batch = batch.filter(pc.invert(pc.is_in(batch["source_position"], known)))
            yield from _chunks(batch)


def replayed(events: Table, positions: Iterable[str]) -> set[str]:
    """Which of the positions of rejected records stand in events."""
    asked = sorted(set(positions))
    # Without any replay in the books there is nothing to look for, and events may be many.
    if not asked or not counts(events.properties).get(REPLAYED):
        return set()
    found: set[str] = set()
    with translated("look for replayed records"):
        reader = events.scan(selected_fields=("source_position",)).to_arrow_batch_reader()
        for batch in reader:
            column = batch["source_position"]
            known = pa.array(asked, column.type)
            found.update(column.filter(pc.is_in(column, known)).to_pylist())
    return found


def _all_replayed(events: Table, rejects: Table, where: Where) -> set[str]:
    if not counts(events.properties).get(REPLAYED):
        return set()
    with translated("read the rejected records"):
        scan = rejects.scan(row_filter=where.expression(), selected_fields=("source_position",))
        return replayed(events, scan.to_arrow()["source_position"].to_pylist())


def export_lines(
    lakehouse: Lakehouse, where: Where, out: IO[bytes], write: str, limit: int | None = None
) -> int:
    """Writes the chosen records as lines, gives their number.

    `ndjson` has every column, the body as `body` (text) or `body_base64`; `raw` has the bodies
    alone, to be mended and ingested, and leaves out those that are no single line.
    """
    events, rejects = tables(lakehouse)
    written = 0
    for batch in chosen(events, rejects, where, REJECTED.names):
        for row in batch.to_pylist():
            if limit is not None and written >= limit:
                return written
            line = row["body"] if write == "raw" else json.dumps(as_document(row)).encode()
            if line and b"\n" not in line:
                out.write(line + b"\n")
                written += 1
    return written


def export_parquet(
    lakehouse: Lakehouse, where: Where, out: IO[bytes], limit: int | None = None
) -> int:
    """Writes the chosen records with every column as one Parquet file, gives their number."""
    import pyarrow.parquet as pq

    events, rejects = tables(lakehouse)
    written = 0
    schema = rejects.scan(selected_fields=REJECTED.names, limit=1).to_arrow().schema
    with pq.ParquetWriter(out, schema, compression="zstd") as writer:
        for batch in chosen(events, rejects, where, REJECTED.names):
            kept = batch.slice(0, None if limit is None else limit - written)
            writer.write_table(pa.Table.from_batches([kept]).cast(schema))
            written += kept.num_rows
    return written


def as_document(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row as JSON can hold it: bytes that are no UTF-8 become base64 in `body_base64`."""
    from base64 import b64encode

    document: dict[str, Any] = {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in row.items()
    }
    body = document.pop("body", None)
    if body is not None:
        try:
            document["body"] = body.decode()
        except UnicodeDecodeError:
            document["body_base64"] = b64encode(body).decode()
    return document


def _chunks(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """Slices of a batch by rows, and by bytes where it has bodies; each has a row at least."""
    rows = MOST_ROWS
    if "body" in batch.schema.names and batch.num_rows:
        widest = pc.max(pc.binary_length(batch["body"])).as_py() or 1
        rows = max(1, min(rows, MOST_BYTES // max(widest, 1)))
    for start in range(0, batch.num_rows, rows):
        yield batch.slice(start, rows)


def _check_position(position: str) -> None:
    try:
        stream, _ = split_position(position)
    except ValueError:
        stream = ""
    if stream.count("/") != 2:
        raise UsageError(
            f"{position!r} is no position",
            hint="It is written source/incarnation/partition/number; "
            "`tidelake rejected list` shows them.",
        )
