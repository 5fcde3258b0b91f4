"""Counts raw and silver for real: every row of raw by load, every table of silver by a witness.

Raw is held against its ledger. All of silver is seen at one moment, up to the last window that is
done.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tidelake.observe.books import Finding
from tidelake.pipeline.silver_witnesses import (
    DROPPED,
    FROM_RAW,
    LOCATIONS,
    RAW_TABLES,
    UP_TO,
    USERS,
    WATERMARK,
    WINDOWS,
    WITNESSES,
)
from tidelake.warehouse.raw import ledger
from tidelake.warehouse.session import Connection

MOST_TOLD = 5


@dataclass(frozen=True, slots=True)
class Counted:
    """Rows that were counted by table, and what is not as it must be."""

    rows: Mapping[str, int]
    findings: tuple[Finding, ...]


def recount_raw(connection: Connection) -> Counted:
    """Counts the rows of every load in raw; those that retention dropped have none."""
    rows, wrong = ledger.count_rows(connection)
    told = [
        Finding(
            "raw",
            f"load {one.load_id:,} has {one.found:,} rows in raw.{one.table}, its ledger says "
            f"{one.expected:,} ({one.found - one.expected:+,}): {one.file_path or 'unknown'}",
        )
        for one in wrong[:MOST_TOLD]
    ]
    if len(wrong) > MOST_TOLD:
        told.append(Finding("raw", f"{len(wrong) - MOST_TOLD:,} more loads have other rows"))
    return Counted({f"raw.{table}": count for table, count in rows.items()}, tuple(told))


def recount_silver(connection: Connection) -> Counted:
    """Counts every table of silver; nothing where no window is done yet."""
    with connection.transaction():
        connection.execute("set transaction isolation level repeatable read, read only")
        watermark = _one(connection, WATERMARK, {})
        if not watermark:
            return Counted({}, ())
        values = {"to": watermark, "dropped": _one(connection, DROPPED, {})}
        rows = {
            "silver.events": _one(
                connection, f"select count(*) from silver_pii.events {UP_TO}", values
            )
        }
        findings = [*_windows(connection, values), *_witnesses(connection, values, rows)]
    return Counted(rows, tuple(findings))


def _windows(connection: Connection, values: Mapping[str, int]) -> Iterator[Finding]:
    wrong = connection.execute(WINDOWS, values).fetchall()
    for start, end, expected, found in wrong[:MOST_TOLD]:
        yield Finding(
            "silver",
            f"silver.events has {found:,} rows of the window ({start:,}, {end:,}], which brought "
            f"{expected:,} ({found - expected:+,})",
        )
    if len(wrong) > MOST_TOLD:
        yield Finding("silver", f"{len(wrong) - MOST_TOLD:,} more windows have other rows")


def _witnesses(
    connection: Connection, values: Mapping[str, int], rows: dict[str, int]
) -> Iterator[Finding]:
    for one in WITNESSES:
        found, expected = (
            _one(connection, one.found, values),
            _one(connection, one.expected, values),
        )
        rows[f"silver.{one.table}"] = found
        if found != expected:
            yield _unlike(one.table, found, expected, one.says)
    for table, query in (("users", USERS), ("locations", LOCATIONS)):
        found, least, most = connection.execute(query.encode(), values).fetchone() or (0, 0, 0)
        rows[f"silver.{table}"] = found
        if not least <= found <= most:
            yield _unlike(table, found, least if found < least else most, "the events")
    yield from _from_raw(connection, values, rows)


def _from_raw(
    connection: Connection, values: Mapping[str, int], rows: dict[str, int]
) -> Iterator[Finding]:
    """Tables whose witness is raw: of the loads that it still has."""
    expected = connection.execute(FROM_RAW.encode(), values).fetchone() or (0,) * len(RAW_TABLES)
    for table, wanted in zip(RAW_TABLES, expected, strict=True):
        within = f"{UP_TO} and load_id > %(dropped)s"
        found = _one(connection, f"select count(*) from silver.{table} {within}", values)
        rows[f"silver.{table}"] = found
        # A purchase of an order whose first one was dropped from raw makes no order.
        if found != wanted and not (table == "orders" and values["dropped"]):
            yield _unlike(table, found, wanted, "raw")


def _unlike(table: str, found: int, expected: int, says: str) -> Finding:
    return Finding(
        "silver",
        f"silver.{table} has {found:,}, by {says} it must have {expected:,} "
        f"({found - expected:+,}): `tidelake rebuild silver` makes it anew",
    )


def _one(connection: Connection, query: str, values: Mapping[str, int]) -> int:
    row = connection.execute(query.encode(), values).fetchone()
    return int(row[0]) if row else 0
